"""Reads a tournament's schedule: what is left, what is begun, what is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from arena.config import TournamentConfig
from db import Database, Repository, Session, get_session
from db.database import Source
from db.errors import MissingDatabase
from db.queries.leaderboard import stop_reasons
from db.queries.schedule import is_open, open_games, settled_places
from db.queries.spending import spent
from db.queries.transcript import TurnRow, transcript


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One attempt at one place of the schedule: a row that waits to be played, or, when it is
    `begun`, to be resumed."""

    game_id: int
    schedule_index: int
    attempt: int
    seed: int
    agents: tuple[int, ...]
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs have settled. `spent` is in dollars, by model; `orphans` are the dollars
    charged for each call that was in flight when a run was killed, as far as this run has found
    it."""

    completed: int
    void: int
    spent: Mapping[str, float] = field(default_factory=dict)
    orphans: tuple[float, ...] = ()

    @property
    def spent_in_all(self) -> float:
        """Dollars over all models."""
        return sum(self.spent.values())


def left(session: Session, tournament_id: int) -> list[Scheduled]:
    """The games to play or to resume, in schedule order."""
    return [Scheduled(*game) for game in open_games(session, tournament_id)]


def status(session: Session, tournament_id: int) -> str:
    """The tournament's: `finished` when there is nothing left to play."""
    row = Repository(session).get_tournament_by_id(tournament_id)
    assert row is not None
    return row.status


def settle_orphans(session: Session, left: Sequence[Scheduled]) -> tuple[float, ...]:
    """Mark the calls that were in flight when a run was killed: the dollars charged for each."""
    found = Repository(session).settle_orphans([game.game_id for game in left if game.begun])
    return tuple(charged or 0.0 for _, charged in found)


def recorded(database: Database, game_id: int) -> list[TurnRow]:
    """The turns of a game that was begun, the last of them perhaps without an action."""
    return database.reconnecting(lambda session: transcript(session, game_id))


def earlier(session: Session, tournament_id: int, *, orphans: tuple[float, ...] = ()) -> Earlier:
    """What is settled already, and what it cost."""
    settled = settled_places(session, tournament_id)
    return Earlier(
        completed=settled.get("completed", 0),
        void=settled.get("void", 0),
        spent=spent(session, tournament_id),
        orphans=orphans,
    )


def following(database: Database, game: Scheduled) -> Scheduled:
    """The next attempt at a place whose game went void: it was scheduled with the void."""

    def find(session: Session) -> Scheduled:
        repo = Repository(session)
        void = repo.get_game_by_id(game.game_id)
        assert void is not None
        assert void.tournament_id is not None
        row = repo.get_attempt(void.tournament_id, game.schedule_index, game.attempt + 1)
        assert row is not None
        assert row.id is not None
        return replace(game, game_id=row.id, attempt=row.attempt, begun=False)

    return database.reconnecting(find)


def close(database: Database, tournament_id: int, *, complete: bool) -> None:
    """Mark the tournament finished when its schedule is `complete` and no place of it is left to
    play."""

    def end(session: Session) -> None:
        status = "finished" if complete and not is_open(session, tournament_id) else "paused"
        Repository(session).set_tournament_status(tournament_id, status)

    database.reconnecting(end)


def unrated(database: Database, tournament_id: int, system: str) -> str | None:
    """Why results of the tournament do not move the stored ratings, if they do not."""
    reasons = database.reconnecting(lambda session: stop_reasons(session, tournament_id, system))
    if not reasons:
        return None
    return (
        f"the rating system {system} raised an error at {' and at '.join(reasons)}: every result "
        "is kept, the stored ratings end before it; mend the system, then `arena ratings rebuild`"
    )


def games_done(url: Source, config: TournamentConfig) -> int:
    """How many places of this tournament's schedule are settled in the database, if any."""
    try:
        with get_session(url, create=False) as session:
            row = Repository(session).get_tournament_by_name(config.name)
            if row is None or row.id is None:
                return 0
            return sum(settled_places(session, row.id).values())
    except MissingDatabase:
        return 0
