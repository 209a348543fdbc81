"""GameRepository and the players in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import selectinload
from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.models import GAME_STATUSES, Agent, Game, GamePlayer
from db.models.columns import aware, clean_text
from db.models.game_states import NEXT
from db.repository.counters import leave_behind
from db.repository.rows import added, apart


class GameRepository:
    session: Session

    def create_game(
        self,
        started_at: datetime | None = None,
        status: str = "running",
        *,
        environment_id: int | None = None,
        tournament_id: int | None = None,
        seed: int | None = None,
        parent_game_id: int | None = None,
        parent_turn: int | None = None,
    ) -> Game:
        """A new game, started now unless said otherwise. Raises DatabaseError for a status that
        does not exist."""
        _check_status(status)
        begun = None if status == "scheduled" and started_at is None else started_at or _now()
        row = Game(
            started_at=None if begun is None else aware(begun),
            status=status,
            environment_id=environment_id,
            tournament_id=tournament_id,
            seed=seed,
            parent_game_id=parent_game_id,
            parent_turn=parent_turn,
        )
        return added(self.session, row, "the game")

    def get_game_by_id(self, game_id: int, with_relations: bool = False) -> Game | None:
        """The game; with relations, its players, their agents and its turns are loaded too."""
        if not with_relations:
            return self.session.get(Game, game_id)
        players = selectinload(Game.players)  # type: ignore[arg-type]
        agents = players.selectinload(GamePlayer.agent)  # type: ignore[arg-type]
        query = (
            select(Game)
            .where(Game.id == game_id)
            .options(
                agents.selectinload(Agent.kind),  # type: ignore[arg-type]
                agents.selectinload(Agent.model),  # type: ignore[arg-type]
                agents.selectinload(Agent.prompt),  # type: ignore[arg-type]
                selectinload(Game.turns),  # type: ignore[arg-type]
            )
            .execution_options(populate_existing=True)
        )
        return self.session.exec(query).first()

    def finish_game(
        self,
        game_id: int,
        status: str = "completed",
        winning_team: str | None = None,
        environment_crashed: bool = False,
        game_info: Mapping[str, Any] | None = None,
        *,
        finished_at: datetime | None = None,
    ) -> Game | None:
        """End a game by hand; None when there is no such game. No rating moves and nothing is
        counted: the recorder does that for the games of a tournament. Raises DatabaseError for a
        status that does not exist, or that the game cannot come to from its own."""
        _check_status(status)
        row = self.session.get(Game, game_id)
        if row is None:
            return None
        if status != row.status and status not in NEXT[row.status]:
            raise DatabaseError(
                f"game {game_id} is {row.status} and cannot become {status}: expected "
                f"{' or '.join(NEXT[row.status]) or 'nothing, since it has ended'}"
            )
        with apart(self.session, f"game {game_id} cannot be ended"):
            leave_behind(self.session, row.tournament_id)
            row.status = status
            row.final = status in ("completed", "void")
            row.finished_at = aware(finished_at or _now())
            row.winning_team = None if winning_team is None else clean_text(winning_team)
            row.environment_crashed = environment_crashed
            row.game_info = None if game_info is None else dict(game_info)
        return row

    def get_games(
        self,
        status: str | None = None,
        winning_team: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        *,
        tournament_id: int | None = None,
    ) -> Sequence[Game]:
        """GameRepository that match, the newest first."""
        query = select(Game).order_by(col(Game.id).desc())
        if status is not None:
            _check_status(status)
            query = query.where(Game.status == status)
        if winning_team is not None:
            query = query.where(Game.winning_team == winning_team)
        if tournament_id is not None:
            query = query.where(Game.tournament_id == tournament_id)
        if limit is not None:
            query = query.limit(limit)
        return self.session.exec(query.offset(offset) if offset else query).all()

    def add_game_player(
        self,
        game_id: int,
        agent_id: int,
        player_index: int,
        role: str | None = None,
        reward: float | None = None,
        *,
        team: str | None = None,
    ) -> GamePlayer:
        """Seat an agent. Raises DatabaseError for a place that is taken."""
        row = GamePlayer(
            game_id=game_id,
            agent_id=agent_id,
            player_index=player_index,
            role=role,
            team=team,
            reward=reward,
        )
        return added(self.session, row, f"player {player_index} of game {game_id}")

    def update_game_player(
        self,
        game_id: int,
        player_index: int,
        role: str | None = None,
        reward: float | None = None,
        *,
        team: str | None = None,
        rank: int | None = None,
    ) -> GamePlayer | None:
        """Set what is given of a player; None when there is no such player."""
        row = self.session.exec(
            select(GamePlayer).where(
                GamePlayer.game_id == game_id, GamePlayer.player_index == player_index
            )
        ).first()
        if row is None:
            return None
        with apart(self.session, f"player {player_index} of game {game_id} cannot be changed"):
            for name, value in (("role", role), ("reward", reward), ("team", team), ("rank", rank)):
                if value is not None:
                    setattr(row, name, value)
        return row

    def get_game_players(self, game_id: int) -> Sequence[GamePlayer]:
        """The players of a game in order of player_index."""
        query = (
            select(GamePlayer)
            .where(GamePlayer.game_id == game_id)
            .order_by(col(GamePlayer.player_index))
        )
        return self.session.exec(query).all()


def _now() -> datetime:
    return datetime.now(UTC)


def _check_status(status: str) -> None:
    if status not in GAME_STATUSES:
        raise DatabaseError(
            f"{status!r} is no status of a game: expected one of {', '.join(GAME_STATUSES)}"
        )
