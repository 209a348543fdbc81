"""The kind `learning`: writes down what it learned from its last game, and plays with that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from arena.agents.answers import answer_mode
from arena.agents.options import count, refuse_unknown
from arena.core import LLM, Action, Message, Observation
from arena.core.inert import without_end_tokens
from arena.core.memory import MEMORY, KeyPoint, LastGame, Memory
from arena.core.text import one_line
from arena.core.threads import read_aside
from arena.llm.lenient_json import find_object
from arena.llm.thoughts import read

KNOWN = "# What you noted in earlier games"
LEARN = """\
# Your task: learn from this game
The game is over. Write down what will help you in your next games of this kind: what worked, what \
did not, how others play. You may sit at another place then, with another role, among others. \
Answer with one JSON object and no other text, with at most 5 points, each of one sentence, and \
how important it is, from 1 to 10:
{"key_points": [{"text": "<what you learned>", "importance": <1 to 10>}]}"""

_MOST = 5
_CHARACTERS = 300
_FADES = 0.95


class Learner:
    """As `thinking`, with a memory of its earlier games in the tournament (`arena.core.memory`).

    In its first turn of a game it is first asked what it learned from the game before: one call,
    whose answer is read as key points with an importance. Those that weigh most are shown in every
    turn, as a quoted list behind the prompt: a point weighs its importance, and 5 % less for every
    game that the agent has finished since it was written; of equal ones the newest comes first.
    A turn's reading has what was given and what is kept.

    Options: `answer` (`arena.agents.answers`); `items`, the most key points that are kept (50);
    `shown`, those that are shown in a game (8); `ttl_games`, after how many games of its own the
    agent forgets a point (100).
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("learning", options, ("answer", "items", "shown", "ttl_games"))
        self._answer = answer_mode("learning", options)
        self._items = count("learning", options, "items", 50, least=1)
        self._most_shown = count("learning", options, "shown", 8, least=1)
        self._ttl = count("learning", options, "ttl_games", 100, least=1)
        self._given: Memory = Memory()
        self._known = ""
        self._begun = False
        self.reprompt(prompt)

    def remember(self, memory: Memory) -> None:
        """What is known of earlier games."""
        self._given = memory

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on."""
        self._prompt = prompt

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """In a first turn learns from the game before; then acts."""
        reading: dict[str, Any] = {}
        if not self._begun:
            self._begun = True
            written = [] if self._given.last is None else await self._learn(self._given.last, llm)
            kept, shown = self._kept(written)
            if shown:
                self._known = "\n".join([KNOWN, *(f"> {point.text}" for point in shown)])
            reading = {MEMORY: {"given": self._given.plain(), "kept": kept.plain()}}
        messages = self._asked(observation.text, self._prompt, self._known)
        completion = await llm.complete(messages, self._answer.options)
        action = await read_aside(completion.text, lambda: self._answer.action(completion))
        return replace(action, reading={**(action.reading or {}), **reading} or None)

    async def write(self, llm: LLM) -> Memory:
        """Learns from the last game."""
        written = [] if self._given.last is None else await self._learn(self._given.last, llm)
        return Memory(self._given.games, tuple(self._alive(written)))

    async def _learn(self, last: LastGame, llm: LLM) -> list[KeyPoint]:
        told = f"{last.seen}\n\n{last.result}\n\n{LEARN}"
        completion = await llm.complete(self._asked(told, self._prompt, "", form=False))
        said = await read_aside(completion.text, lambda: read(completion.text))
        return key_points(without_end_tokens(said.text), last.place, self._given.games)

    def _kept(self, written: list[KeyPoint]) -> tuple[Memory, list[KeyPoint]]:
        """The memory after a first turn, and the points of it that are shown."""
        now, alive = self._given.games, self._alive(written)
        shown = [
            replace(point, shown=point.shown + 1, last_shown=now)
            for point in alive[: self._most_shown]
        ]
        return Memory(now, (*shown, *alive[self._most_shown :])), shown

    def _alive(self, written: list[KeyPoint]) -> list[KeyPoint]:
        """What is kept of what was known and what was written, the heaviest first."""
        now = self._given.games
        known = {point.text: point for point in self._given.points}
        # Said again, a point is as new as if it were new, and keeps how often it was shown.
        for point in written:
            before = known.pop(point.text, point)
            known[point.text] = replace(point, shown=before.shown, last_shown=before.last_shown)
        dated = (replace(p, expires=p.written + self._ttl) for p in known.values())
        alive = [point for point in dated if now < (point.expires or 0)]
        alive.sort(key=lambda point: (-_weight(point, now), -point.written))
        return alive[: self._items]

    def _asked(self, told: str, prompt: str, known: str, *, form: bool = True) -> list[Message]:
        parts = (prompt, known, self._answer.instruction if form else "")
        system = "\n\n".join(part for part in parts if part)
        asked: list[Message] = [{"role": "system", "content": system}] if system else []
        return [*asked, {"role": "user", "content": told}]


def _weight(point: KeyPoint, now: int) -> float:
    return point.importance * _FADES ** (now - point.written)


def key_points(answer: str, place: int, games: int) -> list[KeyPoint]:
    """What an answer says was learned, at most five points of it; none where it is in no form that
    can be read. A point without a number from 1 to 10 has the importance 5."""
    found = find_object(answer, {"key_points"})
    if found is None:
        return []
    said = next(value for name, value in found.value.items() if name.lower() == "key_points")
    points: dict[str, KeyPoint] = {}
    for each in said if isinstance(said, list) else [said]:
        entry = each if isinstance(each, Mapping) else {"text": each}
        text = entry.get("text")
        if not isinstance(text, str) or not (line := one_line(text.strip(), _CHARACTERS)):
            continue
        points.setdefault(line, KeyPoint(line, _importance(entry), place, games))
    return [*points.values()][:_MOST]


def _importance(entry: Mapping[str, Any]) -> int:
    value = entry.get("importance")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 5
    return min(10, max(1, round(value)))
