"""The steps that games made ratings take: all of a span as packed columns, or some of an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, column, func, select, values
from sqlmodel import Session, col

from db.models import AgentTrueSkill, Environment, Game, RatingChange, RatingPool
from db.queries.folds import Span, packed, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STEPS = (
    "SELECT c.pool_id, c.game_id, c.agent_id, "
    "c.mu_before, c.sigma_before, c.mu_after, c.sigma_after "
    "FROM games g JOIN rating_changes c ON c.game_id = g.id "
    "WHERE g.fold_index > :after AND g.fold_index <= :upto"
)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of one pool: `games` and `agents` (n,) are keys, a pair of them comes once; `values`
    (n, 4) are mu and sigma before the game, mu and sigma after it."""

    games: NDArray[np.int64]
    agents: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.games)

    def in_order(self) -> Steps:
        """The same, by game and agent."""
        import numpy as np

        order = np.lexsort((self.agents, self.games))
        return Steps(self.games[order], self.agents[order], self.values[order])

    def equal(self, other: Steps) -> int:
        """How many steps are in both, the same in every bit."""
        import numpy as np

        one, two = self.in_order(), other.in_order()
        if not (np.array_equal(one.games, two.games) and np.array_equal(one.agents, two.agents)):
            keys = [list(zip(s.games.tolist(), s.agents.tolist(), strict=True)) for s in (one, two)]
            both = set(keys[0]).intersection(keys[1])
            kept = (np.array([key in both for key in part], dtype=bool) for part in keys)
            one, two = (
                Steps(s.games[k], s.agents[k], s.values[k])
                for s, k in zip((one, two), kept, strict=True)
            )
        return int((one.values == two.values).all(axis=1).sum())


def stored_steps(session: Session, span: Span) -> dict[int, Steps]:
    """The steps that the games of a span have made, by pool_id."""
    import numpy as np

    kinds = [("pool", "=i8"), ("game", "=i8"), ("agent", "=i8"), ("values", "=f8", 4)]
    rows = np.frombuffer(packed(rows_of(session, _STEPS, span), "=3q4d"), np.dtype(kinds))
    found = {}
    for key in np.unique(rows["pool"]).tolist():
        mine = rows[rows["pool"] == key]
        found[key] = Steps(mine["game"], mine["agent"], mine["values"])
    return found


@dataclass(frozen=True, slots=True)
class EnvironmentRating:
    """An agent's stored rating in an environment: that of the `system` which rates it there."""

    pool_id: int
    environment_id: int
    environment: str
    num_players: int
    system: str
    mu: float
    sigma: float
    games: int


@dataclass(frozen=True, slots=True)
class RatingStep:
    """What an agent's rating came to by a game; `place` is that of the game among all rated ones,
    from 1."""

    game_id: int
    place: int
    mu: float
    sigma: float


def environment_ratings(session: Session, agent_id: int) -> list[EnvironmentRating]:
    """An agent's stored ratings over the tournaments of an environment, the most games first."""
    query: Any = (
        select(
            col(RatingPool.id),
            col(Environment.id),
            col(Environment.name),
            col(Environment.num_players),
            col(RatingPool.system),
            col(AgentTrueSkill.mu),
            col(AgentTrueSkill.sigma),
            col(AgentTrueSkill.games),
        )
        .join(RatingPool, col(RatingPool.id) == col(AgentTrueSkill.pool_id))
        .join(Environment, col(Environment.id) == col(RatingPool.environment_id))
        .where(
            col(AgentTrueSkill.agent_id) == agent_id,
            col(AgentTrueSkill.games) > 0,
            col(RatingPool.tournament_id).is_(None),
        )
        .order_by(col(AgentTrueSkill.games).desc(), col(RatingPool.id))
    )
    return [EnvironmentRating(*row) for row in session.execute(query)]


def spread_steps(session: Session, pool_id: int, agent_id: int, most: int) -> list[RatingStep]:
    """At most `most` steps of an agent in a pool, spread over its games, in the order in which the
    games were rated; the first and the newest among them. What is read does not grow with the
    games."""
    change, fold = RatingChange, col(Game.fold_index)
    own = (col(change.pool_id) == pool_id, col(change.agent_id) == agent_id)
    ends: Any = select(
        *(
            select(end(col(change.game_id))).where(*own).scalar_subquery()
            for end in (func.min, func.max)
        )
    )
    first, last = session.execute(ends).one()
    if first is None:
        return []
    few: Any = select(col(change.game_id)).where(*own).order_by(col(change.game_id)).limit(most + 1)
    games = [*session.scalars(few)]
    if len(games) > most:
        wanted = [(first + (last - first) * at // (most - 1),) for at in range(most)]
        places = values(column("first", BigInteger)).data(wanted).cte("wanted")
        next_game = (
            select(func.min(col(change.game_id)))
            .where(*own, col(change.game_id) >= places.c.first)
            .scalar_subquery()
        )
        games = [*session.scalars(select(next_game).select_from(places).distinct())]
    steps: Any = (
        select(col(change.game_id), fold, col(change.mu_after), col(change.sigma_after))
        .join(Game, col(Game.id) == col(change.game_id))
        .where(*own, col(change.game_id).in_(games), fold.is_not(None))
        .order_by(fold)
    )
    return [RatingStep(*row) for row in session.execute(steps)]
