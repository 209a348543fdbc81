"""RatingRepository: read, set by hand, and computed again from the games."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, update
from sqlmodel import Session, col, select

from db.fold import PoolKey, StoredPool
from db.models import Agent, AgentTrueSkill, RatingChange, RatingPool, Tournament
from db.models.columns import Table
from db.queries.leaderboard import pool_state
from db.queries.steps import Steps
from db.repository.rows import added, apart, found_or_made, locked

# The lock held while a game is folded (`db.writer.connections`).
_FOLD = 7305808869231650158

DEFAULT_SYSTEM = "trueskill"
"""What rates a tournament that names no system, and the ratings that are set by hand."""


@dataclass(frozen=True, slots=True)
class RatingDifference:
    """Where the stored ratings are not what the games say: a pool, or an agent in it."""

    pool: PoolKey
    agent_id: int | None
    stored: str
    computed: str


class RatingRepository:
    session: Session

    def get_rating_pool(
        self,
        environment_id: int | None = None,
        tournament_id: int | None = None,
        system: str = DEFAULT_SYSTEM,
    ) -> RatingPool | None:
        """A system's pool of a tournament, of an environment, or, with neither, the one kept by
        hand."""
        query = select(RatingPool).where(RatingPool.system == system)
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
            .where(RatingPool.system == DEFAULT_SYSTEM, col(RatingPool.tournament_id).is_(None))
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
                    lambda: added(
                        self.session, RatingPool(system=DEFAULT_SYSTEM), "the pool kept by hand"
                    ),
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

    def rating_systems(self) -> dict[int, str]:
        """The system by which each tournament's games are rated as they finish, by its key."""
        found = self.session.exec(select(Tournament.id, Tournament.config))
        return {
            key: str(config.get("rating", DEFAULT_SYSTEM))
            for key, config in found
            if key is not None
        }

    def clear_ratings(self, systems: Collection[str]) -> None:
        """Forget all that games have been rated by these systems; ratings kept by hand stay."""
        made = select(RatingPool.id).where(_by_games(), col(RatingPool.system).in_(systems))
        # The session would otherwise ask for every row that goes, to forget it.
        blind = {"synchronize_session": False}
        self.session.flush()
        for table in (RatingChange, AgentTrueSkill):
            forget = delete(table).where(col(table.pool_id).in_(made))
            self.session.execute(forget, execution_options=blind)
        none = update(RatingPool).where(col(RatingPool.id).in_(made))
        empty = none.values(games=0, draws=0, stopped_at=None, stop_reason=None)
        self.session.execute(empty, execution_options=blind)
        self.session.expire_all()

    def store_pool(self, key: PoolKey, pool: StoredPool) -> None:
        """Write a pool's counters and standings, where there are none."""
        pool_id = self._pool_id(key)
        counters = update(RatingPool).where(col(RatingPool.id) == pool_id)
        stop = (None, None) if pool.stop is None else (pool.stop.fold_index, pool.stop.reason)
        self.session.execute(
            counters.values(
                games=pool.games, draws=pool.draws, stopped_at=stop[0], stop_reason=stop[1]
            )
        )
        now = datetime.now(UTC)
        self._insert(
            AgentTrueSkill,
            [
                {"agent_id": agent_id, "pool_id": pool_id, "updated_at": now, **asdict(standing)}
                for agent_id, standing in pool.standings.items()
            ],
        )

    def store_steps(self, key: PoolKey, steps: Steps) -> None:
        """Write steps of a pool's ratings."""
        pool_id = self._pool_id(key)
        names = ("mu_before", "sigma_before", "mu_after", "sigma_after")
        self._insert(
            RatingChange,
            [
                {"pool_id": pool_id, "game_id": game, "agent_id": agent}
                | dict(zip(names, values, strict=True))
                for game, agent, values in zip(
                    steps.games.tolist(), steps.agents.tolist(), steps.values.tolist(), strict=True
                )
            ],
        )

    def compare_ratings(
        self, computed: Mapping[PoolKey, StoredPool], stored: Mapping[PoolKey, int]
    ) -> list[RatingDifference]:
        """Where these stored pools, given by their pool_id, differ in any bit from the computed
        ones."""
        found: list[RatingDifference] = []
        empty = StoredPool()
        rows = {key: self.session.get_one(RatingPool, pool_id) for key, pool_id in stored.items()}
        for key in sorted(stored.keys() | computed.keys(), key=_in_order):
            ours = pool_state(self.session, rows[key]) if key in rows else empty
            theirs = computed.get(key, empty)
            said = [_counters(pool) for pool in (ours, theirs)]
            if said[0] != said[1]:
                found.append(RatingDifference(key, None, *said))
            for agent_id in sorted(ours.standings.keys() | theirs.standings.keys()):
                one, other = ours.standings.get(agent_id), theirs.standings.get(agent_id)
                if one != other:
                    found.append(RatingDifference(key, agent_id, str(one), str(other)))
        return found

    def pool_ids(self) -> dict[PoolKey, int]:
        """The pool_id of every pool that games have rated."""
        return {
            PoolKey(row.environment_id, row.tournament_id, row.system): row.id
            for row in self.session.exec(select(RatingPool).where(_by_games()))
            if row.environment_id is not None and row.id is not None
        }

    def count_steps(self) -> dict[int, int]:
        """How many steps are stored of each pool, by pool_id."""
        query = select(RatingChange.pool_id, func.count()).group_by(col(RatingChange.pool_id))
        return dict(self.session.exec(query).all())

    def _insert(self, kind: type[Table], rows: Sequence[dict[str, Any]]) -> None:
        # Without the ORM, and some at a time: a rebuild may write millions.
        table = kind.metadata.tables[str(kind.__tablename__)]
        for at in range(0, len(rows), 5_000):
            self.session.connection().execute(insert(table), rows[at : at + 5_000])

    def _pool_id(self, key: PoolKey) -> int:
        row = self.get_rating_pool(*key)
        if row is None:
            row = RatingPool(**key._asdict())
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
    return col(RatingPool.environment_id).is_not(None)


def _in_order(key: PoolKey) -> tuple[int, int, str]:
    return key.environment_id, key.tournament_id or 0, key.system


def _counters(pool: StoredPool) -> str:
    said = f"{pool.games} games, {pool.draws} draws"
    return said if pool.stop is None else f"{said}, stopped at place {pool.stop.fold_index}"
