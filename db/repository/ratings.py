"""Ratings: read, set by hand, and computed again from the games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, update
from sqlmodel import Session, col, select

from db.fold import Change, Pool, Rate, fold_game
from db.models import Agent, AgentTrueSkill, RatingChange, RatingPool
from db.models.columns import Table
from db.queries.folds import FoldedGames, folded_games
from db.queries.leaderboard import pool_state
from db.queries.steps import Steps
from db.repository.rows import added, apart, found_or_made, locked

SYSTEM = "trueskill"
# The lock of whoever folds a game (`db.writer.connections`).
_FOLD = 7305808869231650158

# (environment_id, tournament_id or None): what a pool is of.
Place = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A pool as the games make it, with every step on the way."""

    pool: Pool
    steps: Steps


@dataclass(frozen=True, slots=True)
class RatingDifference:
    """A place where the stored ratings are not what the games say."""

    place: Place
    agent_id: int | None
    stored: str
    computed: str


class Ratings:
    session: Session

    def get_rating_pool(
        self, environment_id: int | None = None, tournament_id: int | None = None
    ) -> RatingPool | None:
        """The pool of a tournament, of an environment, or, with neither, the one kept by hand."""
        query = select(RatingPool).where(RatingPool.system == SYSTEM)
        if tournament_id is not None:
            query = query.where(RatingPool.tournament_id == tournament_id)
        else:
            query = query.where(
                col(RatingPool.tournament_id).is_(None),
                RatingPool.environment_id == environment_id
                if environment_id is not None
                else col(RatingPool.environment_id).is_(None),
            )
        return self.session.exec(query).first()

    def default_rating_pool(self) -> RatingPool | None:
        """The pool that is meant when none is named: the one kept by hand where there is one,
        else that of the environment with the most rated games."""
        by_hand = self.get_rating_pool()
        if by_hand is not None:
            return by_hand
        query = (
            select(RatingPool)
            .where(RatingPool.system == SYSTEM, col(RatingPool.tournament_id).is_(None))
            .order_by(col(RatingPool.games).desc(), col(RatingPool.id))
        )
        return self.session.exec(query).first()

    def create_or_update_trueskill(
        self, agent_id: int, mu: float, sigma: float, pool_id: int | None = None
    ) -> AgentTrueSkill:
        """Set an agent's rating by hand, in the pool that is kept by hand unless one is named.

        Raises DatabaseError for an agent that is not there or a sigma that is not positive.
        """
        what = f"the rating mu={mu}, sigma={sigma} of agent {agent_id} cannot be kept"
        with apart(self.session, what):
            if pool_id is None:
                pool = found_or_made(
                    self.get_rating_pool,
                    lambda: added(self.session, RatingPool(system=SYSTEM), "the pool kept by hand"),
                )
                assert pool.id is not None
                pool_id = pool.id
            row = self._rating(agent_id, pool_id)
            if row is None:
                row = AgentTrueSkill(agent_id=agent_id, pool_id=pool_id, mu=mu, sigma=sigma)
                self.session.add(row)
            row.mu, row.sigma, row.updated_at = mu, sigma, datetime.now(UTC)
        return row

    def get_agent_trueskill(
        self, agent_id: int, pool_id: int | None = None
    ) -> AgentTrueSkill | None:
        """An agent's rating; in the default pool unless one is named."""
        pool_id = pool_id if pool_id is not None else self._default_pool_id()
        return None if pool_id is None else self._rating(agent_id, pool_id)

    def get_top_agents_by_trueskill(
        self, limit: int = 10, pool_id: int | None = None
    ) -> list[tuple[Agent, AgentTrueSkill]]:
        """Agents and ratings, best mu − 3 sigma first; in the default pool unless one is named."""
        pool_id = pool_id if pool_id is not None else self._default_pool_id()
        if pool_id is None:
            return []
        query = (
            select(Agent, AgentTrueSkill)
            .join(AgentTrueSkill, col(AgentTrueSkill.agent_id) == col(Agent.id))
            .where(AgentTrueSkill.pool_id == pool_id)
            .order_by((col(AgentTrueSkill.mu) - 3 * col(AgentTrueSkill.sigma)).desc())
            .order_by(col(Agent.id))
            .limit(limit)
        )
        return [(agent, rating) for agent, rating in self.session.exec(query)]

    def lock_ratings(self) -> None:
        """Keep every game from being rated until the session commits. Call it first: what was
        read before may be old."""
        locked(self.session, _FOLD)

    def freeze(self) -> None:
        """Read everything as of one moment, whatever is written meanwhile. Call it first."""
        if self.session.get_bind().dialect.name == "postgresql":
            self.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            return
        connection = self.session.connection()
        driver = connection.connection.driver_connection
        if driver is not None and not driver.in_transaction:
            connection.exec_driver_sql("BEGIN")

    def rebuild_ratings(self, rate: Rate) -> int:
        """Delete what the games have rated and compute it again, in one transaction; how many
        games there were."""
        self.lock_ratings()
        games = folded_games(self.session)
        self.clear_ratings()
        for place, entry in rebuilt(games, rate).items():
            self.store_pool(place, entry.pool)
            self.store_steps(place, entry.steps)
        return len(games)

    def clear_ratings(self) -> None:
        """Forget all that games have rated; ratings kept by hand stay."""
        made = select(RatingPool.id).where(_by_games())
        # The session would otherwise ask for every row that goes, to forget it.
        blind = {"synchronize_session": False}
        self.session.flush()
        for table in (RatingChange, AgentTrueSkill):
            forget = delete(table).where(col(table.pool_id).in_(made))
            self.session.execute(forget, execution_options=blind)
        none = update(RatingPool).where(_by_games()).values(games=0, draws=0)
        self.session.execute(none, execution_options=blind)
        self.session.expire_all()

    def store_pool(self, place: Place, pool: Pool) -> None:
        """Write a pool's counters and standings, where there are none."""
        key = self._pool_key(place)
        counters = update(RatingPool).where(col(RatingPool.id) == key)
        self.session.execute(counters.values(games=pool.games, draws=pool.draws))
        now = datetime.now(UTC)
        self._insert(
            AgentTrueSkill,
            [
                {"agent_id": agent_id, "pool_id": key, "updated_at": now, **asdict(standing)}
                for agent_id, standing in pool.standings.items()
            ],
        )

    def store_steps(self, place: Place, steps: Steps) -> None:
        """Write steps of a pool's ratings."""
        key = self._pool_key(place)
        names = ("mu_before", "sigma_before", "mu_after", "sigma_after")
        self._insert(
            RatingChange,
            [
                {"pool_id": key, "game_id": game, "agent_id": agent}
                | dict(zip(names, values, strict=True))
                for game, agent, values in zip(
                    steps.games.tolist(), steps.agents.tolist(), steps.values.tolist(), strict=True
                )
            ],
        )

    def check_ratings(self, rate: Rate) -> list[RatingDifference]:
        """Where the stored ratings differ, in any bit, from what the games make of them."""
        found = rebuilt(folded_games(self.session), rate)
        return self.compare_ratings({place: entry.pool for place, entry in found.items()})

    def compare_ratings(self, computed: dict[Place, Pool]) -> list[RatingDifference]:
        """Where the stored pools differ, in any bit, from these."""
        found: list[RatingDifference] = []
        stored = self.stored_pools()
        empty = Pool()
        for place in sorted(stored.keys() | computed.keys(), key=lambda key: (key[0], key[1] or 0)):
            ours, theirs = stored.get(place, empty), computed.get(place, empty)
            if (ours.games, ours.draws) != (theirs.games, theirs.draws):
                counts = [f"{p.games} games, {p.draws} draws" for p in (ours, theirs)]
                found.append(RatingDifference(place, None, *counts))
            for agent_id in sorted(ours.standings.keys() | theirs.standings.keys()):
                one, other = ours.standings.get(agent_id), theirs.standings.get(agent_id)
                if one != other:
                    found.append(RatingDifference(place, agent_id, str(one), str(other)))
        return found

    def pool_keys(self) -> dict[Place, int]:
        """The pool_id of every pool that games have rated."""
        return {
            (row.environment_id, row.tournament_id): row.id
            for row in self.session.exec(select(RatingPool).where(_by_games()))
            if row.environment_id is not None and row.id is not None
        }

    def count_steps(self) -> dict[int, int]:
        """How many steps are stored of each pool, by pool_id."""
        query = select(RatingChange.pool_id, func.count()).group_by(col(RatingChange.pool_id))
        return dict(self.session.exec(query).all())

    def stored_pools(self) -> dict[Place, Pool]:
        """Every pool that games have rated, as it is stored."""
        return {
            (row.environment_id, row.tournament_id): pool_state(self.session, row)
            for row in self.session.exec(select(RatingPool).where(_by_games()))
            if row.environment_id is not None
        }

    def _insert(self, kind: type[Table], rows: Sequence[dict[str, Any]]) -> None:
        # Without the ORM, and some at a time: a rebuild may write millions.
        table = kind.metadata.tables[str(kind.__tablename__)]
        for at in range(0, len(rows), 5_000):
            self.session.connection().execute(insert(table), rows[at : at + 5_000])

    def _pool_key(self, place: Place) -> int:
        row = self.get_rating_pool(*place)
        if row is None:
            row = RatingPool(environment_id=place[0], tournament_id=place[1], system=SYSTEM)
            self.session.add(row)
            self.session.flush()
        assert row.id is not None
        return row.id

    def _rating(self, agent_id: int, pool_id: int) -> AgentTrueSkill | None:
        return self.session.exec(
            select(AgentTrueSkill).where(
                AgentTrueSkill.agent_id == agent_id, AgentTrueSkill.pool_id == pool_id
            )
        ).first()

    def _default_pool_id(self) -> int | None:
        pool = self.default_rating_pool()
        return None if pool is None else pool.id


def _by_games() -> ColumnElement[bool]:
    """Pools that games rate, not people."""
    return and_(col(RatingPool.system) == SYSTEM, col(RatingPool.environment_id).is_not(None))


def rebuilt(games: FoldedGames, rate: Rate) -> dict[Place, Rebuilt]:
    """Every pool, from the games in the order in which they were folded."""
    import numpy as np

    found = {}
    for place, chosen in games.by_place().items():
        pool = Pool()
        changes: list[tuple[int, Change]] = []
        for game in chosen.tolist():
            game_id = int(games.game_ids[game])
            changes += [(game_id, change) for change in fold_game(pool, games.seats(game), rate)]
        steps = Steps(
            np.array([game_id for game_id, _ in changes]),
            np.array([change.agent_id for _, change in changes]),
            np.array(
                [
                    (change.mu_before, change.sigma_before, change.mu_after, change.sigma_after)
                    for _, change in changes
                ]
            ),
        )
        found[place] = Rebuilt(pool, steps)
    return found
