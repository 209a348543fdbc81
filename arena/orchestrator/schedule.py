"""Reads a tournament's schedule: what is left, what is begun, what is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, col, select

from arena.config import TournamentConfig
from db import Game, GamePlayer, Repository, Tournament, get_session
from db.errors import MissingDatabase
from db.queries.leaderboard import stop_reasons
from db.queries.spending import spent
from db.queries.transcript import TurnRow, transcript
from db.session import reconnecting


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One attempt at one place of the schedule: a row that waits to be played, or, when it is
    `begun`, to be gone on with."""

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


def key(row: Game | Tournament) -> int:
    """The key of a row that has one."""
    assert row.id is not None
    return row.id


def left(session: Session, tournament_id: int) -> list[Scheduled]:
    """The games to play or to go on with, in schedule order."""
    games = []
    for status in ("scheduled", "running"):
        rows = session.exec(
            select(Game.id, Game.schedule_index, Game.attempt, Game.seed).where(
                Game.tournament_id == tournament_id, Game.status == status
            )
        ).all()
        seats = _agents(session, tournament_id, status)
        for game_id, index, attempt, seed in rows:
            if game_id is not None and index is not None and seed is not None:
                agents, begun = tuple(seats[game_id]), status == "running"
                games.append(Scheduled(game_id, index, attempt, seed, agents, begun))
    return sorted(games, key=lambda game: game.schedule_index)


def status(session: Session, tournament_id: int) -> str:
    """The tournament's: `finished` when there is nothing left to play."""
    return session.exec(select(Tournament.status).where(Tournament.id == tournament_id)).one()


def settle_orphans(session: Session, tournament_id: int) -> tuple[float, ...]:
    """Mark the calls that were in flight when a run was killed: the dollars charged for each."""
    begun = session.exec(
        select(Game.id).where(Game.tournament_id == tournament_id, Game.status == "running")
    ).all()
    found = Repository(session).settle_orphans([game for game in begun if game is not None])
    return tuple(charged or 0.0 for _, charged in found)


def recorded(url: str | Path | None, game_id: int) -> list[TurnRow]:
    """The turns of a game that was begun, the last of them perhaps without an action."""
    return reconnecting(url, lambda session: transcript(session, game_id))


def earlier(session: Session, tournament_id: int, *, orphans: tuple[float, ...] = ()) -> Earlier:
    """What is settled already, and what it cost."""
    by_status: dict[str, int] = {}
    for status, count in session.exec(
        select(Game.status, func.count())
        .where(Game.tournament_id == tournament_id, Game.final)
        .group_by(Game.status)
    ):
        by_status[status] = count
    return Earlier(
        completed=by_status.get("completed", 0),
        void=by_status.get("void", 0),
        spent=spent(session, tournament_id),
        orphans=orphans,
    )


def following(url: str | Path | None, game: Scheduled) -> Scheduled:
    """The next attempt at a place whose game went void: it was scheduled with the void."""

    def find(session: Session) -> Scheduled:
        row = session.exec(
            select(Game).where(
                Game.tournament_id
                == select(Game.tournament_id).where(Game.id == game.game_id).scalar_subquery(),
                Game.schedule_index == game.schedule_index,
                Game.attempt == game.attempt + 1,
            )
        ).one()
        return replace(game, game_id=key(row), attempt=row.attempt, begun=False)

    return reconnecting(url, find)


def close(url: str | Path | None, tournament_id: int, *, complete: bool) -> None:
    """Mark the tournament finished when its schedule is `complete` and no place of it is left to
    play."""

    def end(session: Session) -> None:
        open_games = session.exec(
            select(func.count())
            .select_from(Game)
            .where(
                Game.tournament_id == tournament_id,
                col(Game.status).in_(("scheduled", "running")),
            )
        ).one()
        status = "finished" if complete and not open_games else "paused"
        Repository(session).set_tournament_status(tournament_id, status)

    reconnecting(url, end)


def unrated(url: str | Path | None, tournament_id: int, system: str) -> str | None:
    """Why results of the tournament do not move the stored ratings, if they do not."""
    reasons = reconnecting(url, lambda session: stop_reasons(session, tournament_id, system))
    if not reasons:
        return None
    return (
        f"the rating system {system} raised an error at {' and at '.join(reasons)}: every result "
        "is kept, the stored ratings end before it; mend the system, then `arena ratings rebuild`"
    )


def games_done(url: str | Path | None, config: TournamentConfig) -> int:
    """How many places of this tournament's schedule are settled in the database, if any."""
    try:
        with get_session(url, create=False) as session:
            return session.exec(
                select(func.count())
                .select_from(Game)
                .join(Tournament, col(Game.tournament_id) == Tournament.id)
                .where(Tournament.name == config.name, col(Game.final))
            ).one()
    except MissingDatabase:
        return 0


def _agents(session: Session, tournament_id: int, status: str) -> dict[int, list[int]]:
    """The agents of the tournament's games of one status, in order of player_index, by game."""
    agents: dict[int, list[int]] = {}
    for game_id, agent_id in session.exec(
        select(GamePlayer.game_id, GamePlayer.agent_id)
        .join(Game, col(GamePlayer.game_id) == Game.id)
        .where(Game.tournament_id == tournament_id, Game.status == status)
        .order_by(col(GamePlayer.game_id), col(GamePlayer.player_index))
    ):
        agents.setdefault(game_id, []).append(agent_id)
    return agents
