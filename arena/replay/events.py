"""The events of games on record, told again: the rules play the recorded actions, without models.

Agents and prompts are not needed, only the rules. Every observation must be what it was: events of
a game that differs from its record would be those of another game.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from arena import registry
from arena.core import DivergenceError, EnvironmentCrash, UsageError
from arena.events.gathering import GatheredEvents
from arena.events.kinds import VERSION
from arena.game.task import GameTask, rules_of
from arena.llm.recorded import text_difference
from arena.record.events import events_told
from arena.replay.lineage import own_options
from db import Database, DatabaseError, Game, Repository, Session
from db.queries.events import events, events_state, finished_games
from db.queries.transcript import TurnRow, transcript
from db.selection import Selection
from db.writer.events import EventRow, EventsTold


@dataclass(frozen=True, slots=True)
class ToldGame:
    """One game whose events were told again: how many there are, how many were on record, and the
    first that was another one, if any; `error` says why they could not be told."""

    game_id: int
    events: int
    stored: int
    difference: str | None = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """The events could be told, and were what was on record."""
        return self.error is None and self.difference is None


def rebuild_events(
    database: Database, selection: Selection, *, check: bool = False, everything: bool = False
) -> Iterator[tuple[int, ToldGame]]:
    """Tell the events of finished games again and store them, each game in a transaction of its
    own: (games left, what was found), game by game, the oldest first.

    Without `everything`, those that lack events of this release; with `check`, all of them, and
    nothing is written. A game that cannot be told keeps what it has. Raises DatabaseError.
    """
    with database.session() as session:
        lacking = None if check or everything else VERSION
        games = finished_games(session, selection, lacking=lacking)
    for left, game_id in zip(range(len(games) - 1, -1, -1), games, strict=True):
        with database.session() as session:
            found = told(session, game_id)
            report = _compared(session, found)
            if not check and (found.error is None or _has_none(session, game_id)):
                Repository(session).replace_events(found)
        yield left, report


def told(session: Session, game_id: int) -> EventsTold:
    """The events of a game on record; with `error` where they cannot be told."""
    game = Repository(session).get_game_by_id(game_id, with_relations=True)
    if game is None:
        raise UsageError(f"there is no game {game_id}; `arena games` lists them")
    try:
        gathered = _played(session, game)
    except (DivergenceError, UsageError, DatabaseError) as error:
        gathered = GatheredEvents(error=str(error))
    except EnvironmentCrash as crash:
        gathered = GatheredEvents(error=crash.traceback or str(crash))
    return events_told(game_id, gathered)


def _played(session: Session, game: Game) -> GatheredEvents:
    stored = game.environment
    if stored is None or game.seed is None or game.id is None:
        raise UsageError(
            f"game {game.id} has no environment or no seed on record: it cannot be played again"
        )
    options = own_options(stored)
    registry.environment(stored.name, options)
    turns = [turn for turn in transcript(session, game.id, calls=False) if turn.action is not None]
    rules = rules_of(
        GameTask(
            environment=stored.name,
            options=options,
            rules=(stored.package, stored.version),
            revision=game.revision or 1,
            seed=game.seed,
            players=((),) * len(game.players),
            turn_limit=len(turns),
        )
    )
    rules.reset(game.seed)
    done = False
    for turn in turns:
        seen = rules.observe(turn.turn_number)
        _same(turn, seen.player_index, seen.text)
        action = turn.action or ""
        rules.events.acted(turn.turn_number, turn.player_index, action, turn.reading)
        step = rules.step(turn.submitted or "")
        rules.events.stepped(
            turn.turn_number, turn.player_index, invalid=step.invalid, eliminated=step.eliminated
        )
        done = step.done
    return rules.events.ended(rules.outcome(turn_limit=not done))


def _same(turn: TurnRow, player_index: int, text: str) -> None:
    place = f"turn {turn.turn_number}, player {turn.player_index}"
    if player_index != turn.player_index:
        raise DivergenceError(f"{place}: player {player_index} is up now")
    if text != turn.observation:
        raise DivergenceError(
            f"{place}: the observation differs {text_difference(turn.observation, text)}"
        )


def _compared(session: Session, found: EventsTold) -> ToldGame:
    before = events(session, found.game_id)
    count, stored = len(found.events), len(before)
    if found.error is not None:
        return ToldGame(found.game_id, count, stored, error=found.error)
    for at, (was, now) in enumerate(zip(before, found.events, strict=False)):
        if was != now:
            return ToldGame(found.game_id, count, stored, f"event {at} is {_said(was, now)}")
    difference = None if count == stored else f"{count} events, on record are {stored}"
    return ToldGame(found.game_id, count, stored, difference)


def _said(was: EventRow, now: EventRow) -> str:
    fields = [
        f"{name} {here!r}, on record is {there!r}"
        for name, there, here in zip(EventRow._fields, was, now, strict=True)
        if here != there
    ]
    return "; ".join(fields)


def _has_none(session: Session, game_id: int) -> bool:
    state = events_state(session, game_id)
    return state is None or state.version is None or state.error is not None
