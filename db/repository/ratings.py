"""Ratings: read, set by hand, and computed again from the games."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, text
from sqlmodel import Session, col, select

from db.fold import Change, Pool, Rate, fold_game
from db.models import Agent, AgentTrueSkill, RatingChange, RatingPool
from db.models.columns import Table
from db.queries.folds import FoldedGames, folded_games
from db.repository.rows import added

SYSTEM = "trueskill"

# (environment_id, tournament_id or None): what a pool is of.
Place = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A pool as the games make it, with every change of it as (game_id, change)."""

    place: Place
    pool: Pool
    changes: Sequence[tuple[int, Change]]


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
        if pool_id is None:
            pool = self.get_rating_pool()
            if pool is None:
                pool = added(self.session, RatingPool(system=SYSTEM), "the pool kept by hand")
            assert pool.id is not None
            pool_id = pool.id
        row = self._rating(agent_id, pool_id)
        if row is None:
            row = AgentTrueSkill(agent_id=agent_id, pool_id=pool_id, mu=mu, sigma=sigma)
        row.mu, row.sigma, row.updated_at = mu, sigma, datetime.now(UTC)
        return added(self.session, row, f"the rating mu={mu}, sigma={sigma} of agent {agent_id}")

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
        if self.session.get_bind().dialect.name == "postgresql":
            self.session.execute(text("SELECT pg_advisory_xact_lock(7305808869231650158)"))
            return
        connection = self.session.connection()
        driver = connection.connection.driver_connection
        if driver is not None and not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def rebuild_ratings(self, rate: Rate) -> int:
        """Delete what the games have rated and compute it again, in one transaction; how many
        games there were."""
        self.lock_ratings()
        games = folded_games(self.session)
        self.replace_ratings(rebuilt(games, rate))
        return len(games.sizes)

    def replace_ratings(self, pools: Iterator[Rebuilt] | Sequence[Rebuilt]) -> None:
        """Put these pools in the place of all that games have rated; ratings kept by hand stay."""
        self.lock_ratings()
        made = select(RatingPool.id).where(
            RatingPool.system == SYSTEM, col(RatingPool.environment_id).is_not(None)
        )
        for table in (RatingChange, AgentTrueSkill):
            self.session.execute(delete(table).where(col(table.pool_id).in_(made)))
        stored = {
            (pool.environment_id, pool.tournament_id): pool
            for pool in self.session.exec(
                select(RatingPool).where(
                    RatingPool.system == SYSTEM, col(RatingPool.environment_id).is_not(None)
                )
            )
        }
        for pool in stored.values():
            pool.games = pool.draws = 0
        now = datetime.now(UTC)
        for entry in pools:
            row = stored.get(entry.place)
            if row is None:
                row = RatingPool(
                    environment_id=entry.place[0], tournament_id=entry.place[1], system=SYSTEM
                )
            row.games, row.draws = entry.pool.games, entry.pool.draws
            self.session.add(row)
            self.session.flush()
            assert row.id is not None
            self._insert(
                AgentTrueSkill,
                (
                    {"agent_id": agent_id, "pool_id": row.id, "updated_at": now, **asdict(standing)}
                    for agent_id, standing in entry.pool.standings.items()
                ),
            )
            self._insert(
                RatingChange,
                (
                    {
                        "pool_id": row.id,
                        "game_id": game_id,
                        "agent_id": change.agent_id,
                        "mu_before": change.mu_before,
                        "sigma_before": change.sigma_before,
                        "mu_after": change.mu_after,
                        "sigma_after": change.sigma_after,
                    }
                    for game_id, change in entry.changes
                ),
            )
        self.session.flush()

    def check_ratings(self, rate: Rate) -> list[RatingDifference]:
        """Where the stored ratings differ, in any bit, from what the games make of them."""
        computed = {entry.place: entry.pool for entry in rebuilt(folded_games(self.session), rate)}
        return self.compare_ratings(computed)

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

    def compare_changes(self, computed: Sequence[Rebuilt]) -> list[RatingDifference]:
        """Where the stored steps of the ratings differ, in any bit, from these."""
        found: list[RatingDifference] = []
        for entry in computed:
            environment_id, tournament_id = entry.place
            pool = self.get_rating_pool(environment_id, tournament_id)
            steps = text(
                "SELECT game_id, agent_id, mu_before, sigma_before, mu_after, sigma_after "
                "FROM rating_changes WHERE pool_id = :pool"
            ).bindparams(pool=pool.id if pool else None)
            stored = {
                (game, agent): tuple(step)
                for game, agent, *step in self.session.connection().execute(steps)
            }
            wanted = {
                (game, change.agent_id): (
                    change.mu_before,
                    change.sigma_before,
                    change.mu_after,
                    change.sigma_after,
                )
                for game, change in entry.changes
            }
            if stored != wanted:
                same = len(stored.items() & wanted.items())
                counts = [f"{len(rows)} steps, {same} of them equal" for rows in (stored, wanted)]
                found.append(RatingDifference(entry.place, None, *counts))
        return found

    def stored_pools(self) -> dict[Place, Pool]:
        """Every pool that games have rated, as it is stored."""
        from db.queries.pools import pool_state

        rows = self.session.exec(
            select(RatingPool).where(
                RatingPool.system == SYSTEM, col(RatingPool.environment_id).is_not(None)
            )
        )
        return {
            (row.environment_id, row.tournament_id): pool_state(self.session, row)
            for row in rows
            if row.environment_id is not None
        }

    def _insert(self, kind: type[Table], rows: Iterator[dict[str, Any]]) -> None:
        # Without the ORM, and some at a time: a rebuild may write millions.
        statement = insert(kind.metadata.tables[str(kind.__tablename__)])
        while some := list(islice(rows, 10_000)):
            self.session.connection().execute(statement, some)

    def _rating(self, agent_id: int, pool_id: int) -> AgentTrueSkill | None:
        return self.session.exec(
            select(AgentTrueSkill).where(
                AgentTrueSkill.agent_id == agent_id, AgentTrueSkill.pool_id == pool_id
            )
        ).first()

    def _default_pool_id(self) -> int | None:
        pool = self.default_rating_pool()
        return None if pool is None else pool.id


def rebuilt(games: FoldedGames, rate: Rate) -> Iterator[Rebuilt]:
    """Every pool, from the games in the order in which they were folded."""
    for place, chosen in games.by_place().items():
        pool = Pool()
        changes: list[tuple[int, Change]] = []
        for game in chosen:
            game_id = games.game_ids[game]
            changes += [(game_id, change) for change in fold_game(pool, games.seats(game), rate)]
        yield Rebuilt(place, pool, changes)
