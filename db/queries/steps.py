"""The steps that games made ratings take: all of a span as packed columns, or some of an agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text
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


@dataclass(frozen=True, slots=True)
class RatedSpan:
    """The rated games of an agent in a pool: how many, from which to which."""

    pool_id: int
    agent_id: int
    games: int
    first: int
    last: int


def rated_spans(session: Session, agents: Sequence[int], most: int = 64) -> list[RatedSpan]:
    """The rated games of agents in the pools of environments: at most `most` spans, those with the
    most games first."""
    query: Any = (
        select(col(AgentTrueSkill.pool_id), col(AgentTrueSkill.agent_id), col(AgentTrueSkill.games))
        .join(RatingPool, col(RatingPool.id) == col(AgentTrueSkill.pool_id))
        .where(
            col(AgentTrueSkill.agent_id).in_(agents),
            col(AgentTrueSkill.games) > 0,
            col(RatingPool.environment_id).is_not(None),
            col(RatingPool.tournament_id).is_(None),
        )
        .order_by(
            col(AgentTrueSkill.games).desc(),
            col(AgentTrueSkill.pool_id),
            col(AgentTrueSkill.agent_id),
        )
        .limit(most)
    )
    known = [(int(pool), int(agent), int(games)) for pool, agent, games in session.execute(query)]
    if not known:
        return []
    games = {(pool, agent): count for pool, agent, count in known}
    ends = text(
        f"WITH own(pool, agent) AS ({_values(session, [row[:2] for row in known])}) "  # noqa: S608
        "SELECT o.pool, o.agent, "
        f"(SELECT MIN(c.game_id) {_OWN_STEPS}), (SELECT MAX(c.game_id) {_OWN_STEPS}) FROM own o"
    )
    return [
        RatedSpan(pool, agent, games[pool, agent], first, last)
        for pool, agent, first, last in session.connection().execute(ends)
        if first is not None
    ]


def spread_games(session: Session, spans: Sequence[RatedSpan], most: int) -> list[int]:
    """At most `most` games of some spans, the oldest first: all there are, or spread evenly over
    them, of each as many as it has games. What is read does not grow with the games."""
    total = sum(span.games for span in spans)
    if total <= most:
        return newest_rated(session, spans, most)[::-1]
    found: set[int] = set()
    wanted = []
    before = 0
    for turn, span in enumerate(spans):
        first, after = (-(-place * most // total) for place in (before, before + span.games))
        before += span.games
        # Agents of the same games take turns in them; the newest game is one of them.
        last = max((after - first) * len(spans) - 1, 1)
        at_game = [at * len(spans) + turn for at in range(after - first)]
        places = [(span.games - 1) * at // last for at in at_game]
        if span.games <= _READ and span.games <= 20 * len(places):
            games = newest_rated(session, [span], span.games)[::-1]
            found.update(games[place] for place in places if place < len(games))
            continue
        reach = (span.last - span.first) / (span.games - 1)
        wanted += [
            (span.pool_id, span.agent_id, span.first + int(place * reach)) for place in places
        ]
    if wanted:
        query = text(
            f"WITH own(pool, agent, first) AS ({_values(session, wanted)}) SELECT DISTINCT "  # noqa: S608
            f"(SELECT MIN(c.game_id) {_OWN_STEPS} AND c.game_id >= o.first) FROM own o"
        )
        found.update(game for (game,) in session.connection().execute(query) if game is not None)
    return sorted(found)


def newest_rated(session: Session, spans: Sequence[RatedSpan], most: int) -> list[int]:
    """The newest `most` games of some spans, the newest first."""
    game = col(RatingChange.game_id)
    found: set[int] = set()
    for span in spans:
        query: Any = (
            select(game)
            .where(
                col(RatingChange.pool_id) == span.pool_id,
                col(RatingChange.agent_id) == span.agent_id,
            )
            .order_by(game.desc())
            .limit(most)
        )
        found.update(session.scalars(query))
    return sorted(found, reverse=True)[:most]


def spread_steps(session: Session, span: RatedSpan, most: int) -> list[RatingStep]:
    """At most `most` steps of a span, spread over its games, in the order in which they were
    rated."""
    games = spread_games(session, [span], most)
    change, fold = RatingChange, col(Game.fold_index)
    steps: Any = (
        select(col(change.game_id), fold, col(change.mu_after), col(change.sigma_after))
        .join(Game, col(Game.id) == col(change.game_id))
        .where(
            col(change.pool_id) == span.pool_id,
            col(change.agent_id) == span.agent_id,
            col(change.game_id).in_(games),
            fold.is_not(None),
        )
        .order_by(fold)
    )
    return [RatingStep(*row) for row in session.execute(steps)]


_READ = 1_000
"""Games of a span that are read, to take every so many of them; of more, the numbers of games are
taken to be spread evenly."""
_OWN_STEPS = "FROM rating_changes c WHERE c.pool_id = o.pool AND c.agent_id = o.agent"


def _values(session: Session, rows: Sequence[Sequence[int]]) -> str:
    """Whole numbers as a table of a statement: as values of their own they take ten times as long
    to be made a statement of."""
    server = session.get_bind().dialect.name == "postgresql"
    kind = "::bigint" if server else ""
    return "VALUES " + ", ".join(f"({', '.join(f'{x:d}{kind}' for x in row)})" for row in rows)
