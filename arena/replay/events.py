"""The events of games on record, told again: the rules play the recorded actions, without models.

Agents and prompts are not needed, only the rules. Every observation must be what it was: events of
a game that differs from its record would be those of another game.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from arena import registry
from arena.aside.readings import ReaderChoice, SpeechReader, chosen_reader, reader_on_record
from arena.core import ArenaError, DivergenceError, EnvironmentCrash, Pause, RecordError, UsageError
from arena.core.readers import Cast, Speech
from arena.events.gathering import GatheredEvents, gathered_of, own_kinds
from arena.events.kinds import VERSION
from arena.events.readings import RULES, with_readings
from arena.game.task import GameTask, rules_of
from arena.llm.recorded import text_difference
from arena.record.events import events_told
from arena.replay.lineage import own_options
from db import Database, DatabaseError, Game, Repository, Session
from db.queries.events import events, events_state, finished_games
from db.queries.positions import stored_positions
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


@dataclass(frozen=True, slots=True)
class PlayedAgain:
    """A game that the rules have played again: what happened in it, what was said, and the roles
    that there were."""

    gathered: GatheredEvents
    speeches: tuple[Speech, ...]
    cast: Cast


def rebuild_events(
    database: Database,
    selection: Selection,
    *,
    check: bool = False,
    everything: bool = False,
    choice: ReaderChoice | None = None,
) -> Iterator[tuple[int, ToldGame]]:
    """Tell the events of finished games again and store them, each game in a transaction of its
    own: (games left, what was found), game by game, the oldest first.

    Without `everything`, those that lack events of this release, or with a `choice` claims that
    were read by it; with `check`, all of them, and nothing is written and nobody asked. Without a
    choice the claims of a game are read by whom they were read before, from the answers on record.
    A game that cannot be told keeps what it has. Raises DatabaseError, UsageError for a choice that
    is none, and a Pause where its model, or the budget, lets nothing more be asked.
    """
    with Readers(database, choice, asks=not check) as readers:
        games = lacking_games(database, selection, readers, everything=check or everything)
        for left, game_id in zip(range(len(games) - 1, -1, -1), games, strict=True):
            found = told(database, game_id, readers)
            with database.session() as session:
                report = _compared(session, found)
                if not check and (found.error is None or _has_none(session, game_id)):
                    Repository(session).replace_events(found)
            yield left, report


def lacking_games(
    database: Database, selection: Selection, readers: Readers, *, everything: bool
) -> list[int]:
    """The finished games of a selection, or those of them that lack events of this release, or
    claims that were read by whom they are to be read; the oldest first."""
    with database.session() as session:
        return finished_games(
            session,
            selection,
            lacking=None if everything else VERSION,
            reader=readers.wanted,
        )


class Readers:
    """Who reads the claims of games: the one that is chosen, or whoever has read them before. A
    context manager: what models it asked are left with it."""

    def __init__(
        self, database: Database, choice: ReaderChoice | None, *, asks: bool = True
    ) -> None:
        self._database = database
        self._known: dict[str, SpeechReader] = {}
        self._runner = asyncio.Runner()
        self.wanted: str | None = None
        if choice is not None:
            chosen = chosen_reader(database, choice, asks=asks)
            self.wanted = str(chosen.used)
            self._known[self.wanted] = chosen

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *raised: object) -> None:
        with self._runner as runner:
            for reader in self._known.values():
                runner.run(reader.aclose())

    def of(self, text: str | None) -> SpeechReader:
        """The reader of a game whose claims were read by this one. Raises UsageError."""
        name = self.wanted or text or RULES
        if name not in self._known:
            self._known[name] = reader_on_record(self._database, name)
        return self._known[name]

    def read(self, reader: SpeechReader, game_id: int, played: PlayedAgain) -> GatheredEvents:
        """What happened in a game with what its speeches were read to say. Raises what the reader
        and its model do, and ValueError and TypeError for what no speech can say."""
        name = str(reader.used)
        read = self._runner.run(reader.read(game_id, played.speeches, played.cast))
        found = with_readings(played.gathered.events, read, played.cast, name)
        kinds = {kind.name: kind for kind in played.gathered.kinds}
        own = None if name == RULES else name
        return gathered_of(found, {**own_kinds(), **kinds}, own, played.gathered.positions)


def told(database: Database, game_id: int, readers: Readers) -> EventsTold:
    """The events of a game on record; with `error` where they cannot be told. Raises UsageError for
    a game that is not there, and Pause."""
    try:
        with database.session() as session:
            state = events_state(session, game_id)
            if state is None:
                raise UsageError(f"there is no game {game_id}; `arena games` lists them")
            played = played_again(session, game_id)
        gathered = played.gathered
        if gathered.error is None:
            gathered = readers.read(readers.of(state.reader), game_id, played)
    except (Pause, RecordError):
        raise
    except EnvironmentCrash as crash:
        gathered = GatheredEvents(error=crash.traceback or str(crash))
    except (ArenaError, DatabaseError, TypeError, ValueError) as error:
        gathered = GatheredEvents(error=str(error))
    return events_told(game_id, gathered)


def played_again(session: Session, game_id: int) -> PlayedAgain:
    """A game on record, played again by its rules. Raises DivergenceError, UsageError,
    DatabaseError and EnvironmentCrash where that cannot be done."""
    game = Repository(session).get_game_by_id(game_id, with_relations=True)
    if game is None:
        raise UsageError(f"there is no game {game_id}; `arena games` lists them")
    return _played(session, game)


def _played(session: Session, game: Game) -> PlayedAgain:
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
    outcome = rules.outcome(turn_limit=not done)
    speeches = tuple(rules.events.speeches())
    return PlayedAgain(rules.events.ended(outcome, reading=False), speeches, Cast.of(outcome))


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
    game = session.get(Game, found.game_id)
    if difference is None and game is not None and game.positions is not None:
        known = [*stored_positions(game.positions)]
        if known != [*found.positions]:
            difference = f"it came to {len(found.positions)} positions, on record are {len(known)}"
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
