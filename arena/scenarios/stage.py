"""One play of a scenario: scenes, speakers, what was heard by whom, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import EnvironmentCrash, Event, PlayerResult, audience_of
from arena.core.inert import speakers_of, spoken
from arena.scenarios import briefing, telling
from arena.scenarios.checks import NARRATOR, REFEREE
from arena.scenarios.reading import Scenario
from arena.scenarios.scoring import GameFacts, points_of, results
from arena.scenarios.shape import NarratorLine, SceneShape
from arena.scenarios.values import Settled, Stated, ValueState, shown, statements, values_of
from arena.scenarios.verdict import fields_of, read_verdict, scene_field, schema_of
from arena.scenarios.words import said

_LONGEST = 2_000  # characters of a line that its event repeats
_RULES = "GAME"


class Stage:
    """The state of one game, from its beginning on. The referee's seat is behind the players'."""

    def __init__(self, scenario: Scenario) -> None:
        shape = scenario.shape
        self._scenario = scenario
        self._shape = shape
        self._players = range(len(shape.personas))
        self._index = {persona.name: number for number, persona in enumerate(shape.personas)}
        self._referee = len(shape.personas)
        self._speakers = speakers_of([*self._index, NARRATOR, REFEREE])
        self._values = values_of(shape)
        self._fields = fields_of(shape)
        self._events: list[Event] = []
        self._said_once: set[int] = set()
        self._said_for: set[int] = set()
        self._reached: set[str] = set()
        self._verdict: Mapping[str, Stated] = {}
        self._answers = 0
        self._number = 0
        self._turns = 0
        self._judging = False
        self.over = False
        self.points: Mapping[str, float] = {}
        self._heard = [briefing.opening(scenario, player, self._values) for player in self._players]
        self._heard.append(briefing.referees_opening(scenario))
        self._tell_openings()
        self._next_scene()

    def _tell_openings(self) -> None:
        for player, persona in enumerate(self._shape.personas):
            briefed = telling.briefed(persona, self._shape)
            if briefed is not None:
                self._add("briefing", target=player, audience=[player], data=briefed)
        for value in self._values:
            opened = telling.open_value(value, self._shape)
            self._add("open_value", audience=self._players, data=opened)

    # Who sees what --------------------------------------------------------------------------

    @property
    def mover(self) -> int:
        """The player_index of who is to speak; the number of players for the referee."""
        if self._judging:
            return self._referee
        speaking = self._speaking(self._scene)
        return self._index[speaking[self._turns % len(speaking)]]

    @property
    def wanted(self) -> Mapping[str, Any] | None:
        """The JSON Schema of the verdict, while it is asked for."""
        return schema_of(self._fields) if self._judging else None

    def heard(self, player: int) -> str:
        """Everything that a seat has been told, oldest first."""
        return self._heard[player]

    def drain(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    @property
    def _scene(self) -> SceneShape:
        return self._shape.scenes[self._number - 1]

    def _speaking(self, scene: SceneShape) -> tuple[str, ...]:
        return scene.speaks if scene.speaks is not None else tuple(self._index)

    def _present(self) -> list[int]:
        """Who takes part in the scene: speaks or listens."""
        scene = self._scene
        if scene.observes is None:
            return [*self._players]
        return sorted(self._index[name] for name in {*self._speaking(scene), *scene.observes})

    def _tell(self, text: str, players: Sequence[int], by: str = _RULES) -> None:
        """The rules or the narrator say something to some of the players, and to the referee."""
        for player in (*players, self._referee):
            self._heard[player] += f"\n{briefing.LABEL} {text}"
        data: dict[str, Any] = {"type": by}
        short = len(text) <= _LONGEST and telling.clipped(text) == text
        data |= {"text": text} if short else {"chars": len(text)}
        self._add("message", audience=players, data=data)

    def _add(
        self,
        kind: str,
        source: int | None = None,
        *,
        target: int | None = None,
        audience: Sequence[int] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        shown_to = None if audience is None else audience_of(audience)
        phase = self._scene.title[:80] if self._number else None
        self._events.append(
            Event(kind, source, target, shown_to, data or {}, self._number or None, phase)
        )

    # What happens ---------------------------------------------------------------------------

    def _next_scene(self) -> None:
        if self._number == len(self._shape.scenes):
            self._conclude()
            return
        self._number += 1
        self._turns = 0
        self._add("phase", audience=self._present())
        speaking = [self._index[name] for name in self._speaking(self._scene)]
        begun = telling.scene_start(self._scene, self._number, len(self._shape.scenes), speaking)
        self._add("scene_start", audience=self._present(), data=begun)
        begins = briefing.scene_begins(self._scenario, self._number, self._speaking(self._scene))
        self._tell(begins, self._present())
        self._narrate(lambda line: line.at == "start")

    def say(self, words: str) -> bool:
        """Whoever is to speak says these words; whether something in them was refused. Raises
        EnvironmentCrash when the referee has given no verdict in all of its answers."""
        return self._judge(words) if self._judging else self._speak(words)

    def _speak(self, words: str) -> bool:
        player, present = self.mover, self._present()
        name = self._shape.personas[player].name
        line = f"[{name}] {spoken(words, self._speakers)}" if words else f"[{name}] says nothing."
        for other in (*present, self._referee):
            self._heard[other] += f"\n{line}"
        self._add("message", player, audience=present, data={"type": "SPEECH"})
        self._add("speech", player, audience=present)
        refused = self._state(player, words)
        self._turns += 1
        self._count_words(name, words)
        self._narrate(lambda line: line.after == self._turns)
        self._narrate(lambda line: line.said is not None and said(line.said, words), once=True)
        reached = self._reaches(name, words)
        if reached or self._turns >= self._scene.timeout_turns:
            self._end_scene(reached)
        return refused

    def _state(self, player: int, words: str) -> bool:
        """Take what a player states in brackets; whether some of it is not what a value takes."""
        refused = False
        by_name = {value.shape.name: value for value in self._values}
        for statement in statements(words, self._values):
            value = by_name[statement.name]
            if statement.stated is None:
                refused = True
                takes = f"[{statement.name}: ...] takes {value.takes()}"
                self._tell(f"To you alone: {takes}.", [player])
                continue
            self._add(
                "statement",
                player,
                audience=self._present(),
                data={"value": statement.name, "stated": statement.stated},
            )
            if (settled := value.state(player, statement.stated)) is not None:
                self._settle(value, settled)
        return refused

    def _settle(self, value: ValueState, settled: Settled) -> None:
        how = "votes" if value.voters else "agreement"
        words = f"{settled.name} is settled by {how}: {shown(settled.stated)}."
        self._add(
            "settled",
            audience=self._players,
            data={
                "value": settled.name,
                "stated": settled.stated,
                "how": how,
                "by": [*settled.by],
            },
        )
        self._tell(words, [*self._players])
        self._narrate(
            lambda line: line.at == "settled" and line.value in (None, settled.name), once=True
        )

    def _count_words(self, name: str, words: str) -> None:
        for number, score in enumerate(self._shape.scoring):
            speaks = name == (score.by or score.persona)
            if score.said is not None and speaks and said(score.said, words):
                self._said_for.add(number)

    def _narrate(self, due: Any, *, once: bool = False) -> None:
        for number, line in enumerate(self._shape.narrator):
            if self._wanted(number, line) and due(line):
                if once:
                    self._said_once.add(number)
                said_now = self._scenario.filled(line.say).strip()
                self._tell(said_now, self._present(), NARRATOR)

    def _wanted(self, number: int, line: NarratorLine) -> bool:
        return line.scene in (None, self._scene.title) and number not in self._said_once

    def _reaches(self, name: str, words: str) -> bool:
        """Whether these words bring the scene to its goal."""
        success = self._scene.success
        if success is None or success.referee is not None:
            return False
        if success.said is not None:
            return name == (success.by or name) and said(success.said, words)
        settled = {value.shape.name for value in self._values if value.settled is not None}
        return settled >= {*success.settled}

    def _end_scene(self, reached: bool) -> None:
        scene = self._scene
        told = None if scene.success is None or scene.success.referee is not None else reached
        if reached:
            self._reached.add(scene.title)
        self._narrate(lambda line: line.at == "end")
        self._add(
            "scene_end",
            audience=(),
            data={"scene": scene.title, "turns": self._turns, "reached": told},
        )
        self._next_scene()

    # The end --------------------------------------------------------------------------------

    def _conclude(self) -> None:
        """All scenes are over: the referee is asked, where there is one."""
        if self._shape.referee is None:
            self._finish()
            return
        self._judging = True
        self._heard[self._referee] += f"\n{briefing.question(self._scenario, self._fields)}"

    def _judge(self, answer: str) -> bool:
        assert self._shape.referee is not None
        self._answers += 1
        verdict = read_verdict(answer, self._fields)
        if not verdict.wrong:
            self._verdict = verdict.fields
            self._judging = False
            self._add("verdict", audience=(), data=telling.verdict(verdict.fields))
            for number, scene in enumerate(self._shape.scenes, start=1):
                if verdict.fields.get(scene_field(number)) == "yes":
                    self._reached.add(scene.title)
            self._finish()
            return False
        said_wrong = "; ".join(verdict.wrong)
        if self._answers >= self._shape.referee.attempts:
            said = f"the referee gave no verdict in {self._answers} answers: {said_wrong}"
            raise EnvironmentCrash(said, said)
        self._heard[self._referee] += (
            f"\n{briefing.LABEL} That is no verdict yet: {said_wrong}. Answer again, with the "
            "whole JSON object."
        )
        text = telling.clipped(said_wrong[:_LONGEST])
        self._add("message", audience=(), data={"type": _RULES, "text": text})
        return True

    def _finish(self) -> None:
        self.over = True
        facts = GameFacts(
            {
                value.shape.name: None if value.settled is None else value.settled.stated
                for value in self._values
            },
            self._verdict,
            frozenset(self._reached),
            frozenset(self._said_for),
        )
        self.points = points_of(self._shape.scoring, facts)
        for player, persona in enumerate(self._shape.personas):
            data = telling.score(persona.name, self._shape, facts)
            self._add("score", target=player, audience=(), data=data)
        players = self.results(self.points, [0] * len(self._players))
        drawn = len({player.rank for player in players}) == 1
        won = [] if drawn else [player.player_index for player in players if player.rank == 0]
        self._add("result", data={"winners": won, "reason": self.reason()})

    def results(
        self, points: Mapping[str, float], invalid: Sequence[int]
    ) -> tuple[PlayerResult, ...]:
        """The places that these points give."""
        return results(self._shape.personas, self._shape.scoring, points, invalid)

    def winner(self, players: Sequence[PlayerResult]) -> str | None:
        """The team that came first alone, or the persona that has none; None for a draw."""
        first = {player.team or player.role for player in players if player.rank == 0}
        return first.pop() if len(first) == 1 else None

    def reason(self) -> str:
        """The points of all, for people."""
        names = sorted(self._index, key=lambda name: -self.points.get(name, 0.0))
        points = ", ".join(f"{name} {round(self.points.get(name, 0.0), 4):.11g}" for name in names)
        return f"Points: {points}."
