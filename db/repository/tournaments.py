"""Environments, tournaments and their schedules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import delete, func, insert, text, update
from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.models import (
    TOURNAMENT_STATUSES,
    Annotation,
    Environment,
    Game,
    GamePlayer,
    GameTurn,
    GrantedChunk,
    LiveState,
    LLMCall,
    Tournament,
)
from db.models.counters import VERSION
from db.queries.contents import GAMES_OF
from db.repository.audit import record_annotations, record_row, recorded
from db.repository.rows import added, apart, found_or_made, hashed, locked, plain


class StorablePairing(Protocol):
    """What a schedule is made of: `agents[i]` is the agent_id at player_index i."""

    @property
    def schedule_index(self) -> int: ...
    @property
    def block(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def agents(self) -> Sequence[int]: ...


MOVES: Mapping[str, tuple[str, ...]] = {
    "created": ("running", "paused"),
    "running": ("paused", "finished", "created"),
    "paused": ("running", "created"),
    "finished": ("paused", "created"),
}
"""Where a tournament's status can go, from each; a trigger refuses every other move. It is `paused`
where games are left or were added, and `created` again where nobody answered and it was scheduled
anew."""


def check_move(row: Tournament, status: str) -> None:
    """Raises DatabaseError unless a tournament's status can become this one, or is it."""
    allowed = MOVES.get(row.status, TOURNAMENT_STATUSES)
    if status != row.status and status not in allowed:
        raise DatabaseError(
            f"the tournament {row.name!r} is {row.status} and cannot be {status!r} next: expected "
            f"{' or '.join(allowed)}"
        )


# Any constant will do that no other lock has (`db.writer.connections`, `migrations.env`).
_CATALOGUE = 7305808869231650159


class TournamentRepository:
    session: Session

    def lock_catalogue(self) -> None:
        """Keep others that lock it from entering a tournament until the session commits. Call it
        first: what was read before may be old."""
        locked(self.session, _CATALOGUE)

    def get_or_create_environment(
        self,
        name: str,
        num_players: int,
        options: Mapping[str, Any] | None = None,
        *,
        package: str,
        version: str,
    ) -> Environment:
        """The environment with exactly these rules, made when there is none."""
        mark = hashed(name, num_players, plain(options), package, version)
        query = select(Environment).where(Environment.fingerprint == mark)

        def make() -> Environment:
            row = Environment(
                name=name,
                num_players=num_players,
                options=plain(options),
                package=package,
                version=version,
                fingerprint=mark,
            )
            return added(self.session, row, f"the environment {name!r}")

        return found_or_made(lambda: self.session.exec(query).first(), make)

    def get_environments(self, name: str | None = None) -> Sequence[Environment]:
        """Environments that were played, the latest rules of each name last."""
        query = select(Environment).order_by(Environment.name, col(Environment.id))
        if name is not None:
            query = query.where(Environment.name == name)
        return self.session.exec(query).all()

    def create_tournament(
        self,
        name: str,
        config: Mapping[str, Any],
        seed: int,
        games: int,
        environment_id: int,
        *,
        config_hash: str | None = None,
        counted: bool = False,
    ) -> Tournament:
        """A new tournament; `counted` promises that a recorder ends all of its games, so that its
        counters are up to date from the beginning. Raises DatabaseError for a name that is taken.
        """
        row = Tournament(
            name=name,
            config=plain(config),
            config_hash=config_hash or hashed(plain(config)),
            seed=seed,
            games=games,
            environment_id=environment_id,
            counters_version=VERSION if counted else None,
        )
        return added(self.session, row, f"the tournament {name!r}")

    def get_tournament_by_id(self, tournament_id: int) -> Tournament | None:
        return self.session.get(Tournament, tournament_id)

    def get_tournament_by_name(self, name: str) -> Tournament | None:
        return self.session.exec(select(Tournament).where(Tournament.name == name)).first()

    def get_tournaments(self) -> Sequence[Tournament]:
        """Tournaments, the oldest first."""
        return self.session.exec(select(Tournament).order_by(col(Tournament.id))).all()

    def set_tournament_status(
        self, tournament_id: int, status: str, *, reason: str | None = None
    ) -> Tournament | None:
        """Move a tournament on: `running` stamps its start, `finished` its end. The `reason` goes
        onto the trail, where the history of its statuses is.

        Raises DatabaseError for a move that is none of MOVES."""
        row = self.get_tournament_by_id(tournament_id)
        if row is None:
            return None
        check_move(row, status)
        what = f"tournament {tournament_id} cannot be {status}"
        told = recorded(self.session, row, action="status", reason=reason)
        with apart(self.session, what), told:
            row.status = status
            if status == "running" and row.started_at is None:
                row.started_at = datetime.now(UTC)
            if status == "finished":
                row.finished_at = datetime.now(UTC)
        return row

    def set_tournament_settings(
        self, tournament_id: int, settings: Mapping[str, Any] | None
    ) -> Tournament | None:
        """Keep the settings of the tournament's last run; None when there is no such tournament."""
        row = self.get_tournament_by_id(tournament_id)
        if row is not None:
            what = f"tournament {tournament_id} cannot keep its settings"
            with apart(self.session, what), recorded(self.session, row):
                row.settings = None if settings is None else dict(settings)
        return row

    def set_tournament_config(
        self, tournament_id: int, config: Mapping[str, Any], **columns: Any
    ) -> Tournament:
        """Write down another configuration of a tournament, and the columns that follow from it.
        Whether it may be changed is for the caller to know. Raises DatabaseError."""
        row = self.session.get_one(Tournament, tournament_id)
        what = f"tournament {tournament_id} cannot be changed"
        with apart(self.session, what), recorded(self.session, row):
            row.config = plain(config)
            for name, value in columns.items():
                setattr(row, name, value)
        return row

    def clear_schedule(self, tournament_id: int) -> None:
        """Forget the schedule of a tournament in which nobody has answered. Games whose calls were
        charged all the same stay, void and in no place of the schedule: money is not forgotten."""
        calls = (
            select(LLMCall.id)
            .join(GameTurn, col(GameTurn.id) == col(LLMCall.game_turn_id))
            .where(col(GameTurn.game_id) == col(Game.id))
            .where(func.coalesce(LLMCall.charged, LLMCall.reserved, 0.0) > 0.0)
        )
        mine = col(Game.tournament_id) == tournament_id
        blind = {"synchronize_session": False}
        with apart(self.session, f"tournament {tournament_id} cannot be scheduled again"):
            unheard = select(Game.id).where(mine, ~calls.exists())
            record_annotations(
                self.session,
                col(Annotation.game_id).in_(unheard),
                "delete",
                reason="its game was scheduled anew",
            )
            gone = delete(Game).where(mine, ~calls.exists())
            self.session.execute(gone, execution_options=blind)
            kept = (
                update(Game)
                .where(mine)
                .values(status="void", void_cause="interrupted", schedule_index=None, final=False)
            )
            self.session.execute(kept, execution_options=blind)
            live = delete(LiveState).where(col(LiveState.tournament_id) == tournament_id)
            self.session.execute(live, execution_options=blind)
        self.session.expire_all()

    def end_chunks(self, tournament_id: int, fence: int) -> None:
        """Forget the chunks of clearance that were granted under an earlier fence: their workers
        write nothing more, and what they sent is on record."""
        gone = delete(GrantedChunk).where(
            col(GrantedChunk.tournament_id) == tournament_id, col(GrantedChunk.fence) < fence
        )
        self.session.execute(gone)

    def delete_tournament(self, tournament_id: int) -> None:
        """Delete a tournament with its games, the branches of them, and all that was recorded of
        those; the environment too where nothing else was played in it. What other games' ratings
        and counts rest on is for the caller to compute again. Raises DatabaseError."""
        row = self.session.get_one(Tournament, tournament_id)
        key, values = row.environment_id, {"tournament": tournament_id}
        connection = self.session.connection()
        with apart(self.session, f"the tournament {row.name!r} cannot be deleted"):
            notes = text(
                f"{GAMES_OF} SELECT id FROM annotations WHERE game_id IN (SELECT id FROM found)"  # noqa: S608
            )
            said = [*connection.execute(notes, values).scalars()]
            with_it = f"deleted with the tournament {row.name}"
            record_annotations(self.session, col(Annotation.id).in_(said), "delete", reason=with_it)
            record_row(self.session, row, "delete")
            gone = f"{GAMES_OF} DELETE FROM games WHERE id IN (SELECT id FROM found)"  # noqa: S608
            connection.execute(text(gone), values)
            connection.execute(text("DELETE FROM tournaments WHERE id = :tournament"), values)
            connection.execute(text("DELETE FROM stored_boards"))
        self.session.expire_all()
        self.session.flush()
        of_environment = {"environment": key}
        left = text(
            "SELECT 1 FROM environments e WHERE e.id = :environment AND ("
            "EXISTS (SELECT 1 FROM tournaments WHERE environment_id = e.id) "
            "OR EXISTS (SELECT 1 FROM games WHERE environment_id = e.id))"
        )
        if connection.execute(left, of_environment).first() is None:
            rules = self.session.get_one(Environment, key)
            record_row(self.session, rules, "delete", reason=with_it)
            for table, column in (("rating_pools", "environment_id"), ("environments", "id")):
                empty = f"DELETE FROM {table} WHERE {column} = :environment"  # noqa: S608
                connection.execute(text(empty), of_environment)

    def schedule_games(self, tournament_id: int, pairings: Iterable[StorablePairing]) -> list[int]:
        """Add the pairings as scheduled games, with their players: the games' keys, in order.

        Raises DatabaseError for a tournament that is not there.
        """
        tournament = self.get_tournament_by_id(tournament_id)
        if tournament is None:
            raise DatabaseError(f"there is no tournament {tournament_id} to schedule games in")
        wanted = list(pairings)
        if not wanted:
            return []
        now = datetime.now(UTC)
        rows = [
            {
                "tournament_id": tournament_id,
                "environment_id": tournament.environment_id,
                "schedule_index": pairing.schedule_index,
                "block": pairing.block,
                "seed": pairing.seed,
                "attempt": 0,
                "status": "scheduled",
                "environment_crashed": False,
                "final": False,
                "created_at": now,
            }
            for pairing in wanted
        ]
        query = insert(Game).returning(col(Game.id), sort_by_parameter_order=True)
        with apart(self.session, f"the games of tournament {tournament_id} cannot be scheduled"):
            keys = [int(key) for key in self.session.execute(query, rows).scalars()]
            players = [
                {
                    "game_id": key,
                    "agent_id": agent_id,
                    "player_index": index,
                    "invalid_actions": 0,
                }
                for key, pairing in zip(keys, wanted, strict=True)
                for index, agent_id in enumerate(pairing.agents)
            ]
            if players:
                self.session.execute(insert(GamePlayer), players)
        return keys

    def retry_game(self, game_id: int) -> Game:
        """Schedule another attempt at a void game's place, with the same players and seed; where
        that is scheduled already, it is the one.

        Raises DatabaseError for a game that is not void.
        """
        game = self.session.get(Game, game_id)
        if game is None or game.status != "void":
            state = "not there" if game is None else game.status
            raise DatabaseError(f"game {game_id} cannot be tried again: it is {state}, not void")
        with apart(self.session, f"attempt {game.attempt + 1} at game {game_id} cannot be added"):
            game.final = False
            if game.tournament_id is not None and game.schedule_index is not None:
                found = self.get_attempt(game.tournament_id, game.schedule_index, game.attempt + 1)
                if found is not None:
                    return found
            row = Game(
                tournament_id=game.tournament_id,
                environment_id=game.environment_id,
                schedule_index=game.schedule_index,
                block=game.block,
                seed=game.seed,
                attempt=game.attempt + 1,
                status="scheduled",
            )
            self.session.add(row)
            self.session.flush()
            assert row.id is not None
            for player in game.players:
                self.session.add(
                    GamePlayer(
                        game_id=row.id, agent_id=player.agent_id, player_index=player.player_index
                    )
                )
        return row

    def get_attempt(self, tournament_id: int, schedule_index: int, attempt: int) -> Game | None:
        """The game that is this attempt, from 0, at a place of the schedule."""
        query = select(Game).where(
            Game.tournament_id == tournament_id,
            Game.schedule_index == schedule_index,
            Game.attempt == attempt,
        )
        return self.session.exec(query).first()
