"""The games that have moved ratings, as packed columns in the order in which they did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import text
from sqlmodel import Session

from db.fold import PoolKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

# How games end that an agent's error decided, not its play.
ERRORS = ("invalid_action", "silence", "refusal", "overlong", "time_limit", "malfunction")

Span = tuple[int, int]
"""(after, upto): the games with after < fold_index <= upto."""

# So many games' steps in two pools, as they come from a driver, are some ten MiB.
SPAN = 5_000

_GAMES = (
    "SELECT g.fold_index, g.id, g.environment_id, g.tournament_id FROM games g "
    "WHERE g.fold_index > :after AND g.fold_index <= :upto AND g.status = 'completed' "
    "ORDER BY g.fold_index"
)
# In no order, because numpy sorts numbers faster than a database sorts rows.
_SEATS = (
    "SELECT g.fold_index, p.player_index, p.agent_id, p.rank, p.team "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.fold_index > :after AND g.fold_index <= :upto AND g.status = 'completed'"
)


@dataclass(frozen=True, slots=True)
class FoldedGames:
    """One number per game: its place in the order of the fold (`places`), `game_ids`,
    `environments`, `tournaments` and `sizes` (its seats); one per seat, game after game: `agents`,
    `teams` and `ranks`. `starts` is where a game's begin.

    Players with the same team number in a game play together; what the numbers are says nothing.
    """

    places: Integers
    game_ids: Integers
    environments: Integers
    tournaments: Integers
    sizes: Integers
    starts: Integers
    agents: Integers
    teams: Integers
    ranks: Integers

    def __len__(self) -> int:
        return len(self.sizes)

    def by_pool(self, systems: Mapping[int, str]) -> dict[PoolKey, Integers]:
        """The positions of the games of each pool: an environment's own for each system, and each
        tournament's in it. `systems` are the tournaments' by their keys; games of other tournaments
        are in none."""
        import numpy as np

        names = sorted(set(systems.values()))
        known, which = np.unique(self.tournaments, return_inverse=True)
        found = [names.index(systems[key]) if key in systems else -1 for key in known.tolist()]
        system = np.array(found, np.int64)[which]
        pools: dict[PoolKey, Integers] = {}
        for environment in np.unique(self.environments).tolist():
            for at, name in enumerate(names):
                chosen = np.flatnonzero((self.environments == environment) & (system == at))
                if not len(chosen):
                    continue
                pools[PoolKey(environment, None, name)] = chosen
                tournaments = self.tournaments[chosen]
                order = np.argsort(tournaments, kind="stable")
                keys, starts = np.unique(tournaments[order], return_index=True)
                for key, part in zip(keys.tolist(), np.split(order, starts[1:]), strict=True):
                    pools[PoolKey(environment, key, name)] = chosen[part]
        return pools


def spans(session: Session, size: int = SPAN) -> Iterator[Span]:
    """Stretches of the fold order, at most `size` games each, that together hold all of it."""
    query = text("SELECT MIN(fold_index), MAX(fold_index) FROM games")
    first, last = session.connection().execute(query).one()
    if first is not None:
        for after in range(first - 1, last, size):
            yield after, min(after + size, last)


def folded_games(session: Session, span: Span | None = None) -> FoldedGames:
    """All of them, or those of a span, read through the driver into columns."""
    import numpy as np

    if span is None:
        parts = [folded_games(session, part) for part in spans(session)]
        if len(parts) != 1:
            return _joined(parts)
        return parts[0]
    rows = packed(rows_of(session, _GAMES, span), "=4q")
    order, game_ids, environments, tournaments = np.frombuffer(rows, np.int64).reshape(-1, 4).T
    known: dict[str | None, int] = {None: 0}
    seats = (
        (at, seat, agent, rank, known.setdefault(team, len(known)))
        for at, seat, agent, rank, team in rows_of(session, _SEATS, span)
    )
    columns = np.frombuffer(packed(seats, "=5q"), np.int64).reshape(-1, 5).T
    at, seat, agents, ranks, teams = columns
    # Who has no team is on its own.
    teams = np.where(teams == 0, -1 - seat, teams)
    by_seat = np.lexsort((seat, at))
    game = np.searchsorted(order, at)
    sizes = np.bincount(game, minlength=len(order)).astype(np.int64)
    return FoldedGames(
        places=order,
        game_ids=game_ids,
        environments=environments,
        tournaments=tournaments,
        sizes=sizes,
        starts=np.cumsum(sizes) - sizes,
        agents=agents[by_seat],
        teams=teams[by_seat],
        ranks=ranks[by_seat],
    )


def rows_of(session: Session, query: str, span: Span) -> Iterator[tuple[Any, ...]]:
    """The rows of a query over a span, as the driver makes them: rows that know their columns'
    names take twice as long."""
    result = session.connection().execute(text(query), {"after": span[0], "upto": span[1]})
    yield from cast(Iterable[tuple[Any, ...]], result.cursor)
    result.close()


def packed(rows: Iterable[tuple[Any, ...]], form: str) -> bytes:
    """Rows of numbers, one after another, as `struct` packs them by `form`."""
    pack = Struct(form).pack
    # Each row is packed as it comes: the collector walks over lists of tuples again and again.
    return b"".join([pack(*row) for row in rows])


def _joined(parts: Sequence[FoldedGames]) -> FoldedGames:
    import numpy as np

    def column(name: str) -> Integers:
        empty = np.zeros(0, np.int64)
        return np.concatenate([empty, *(getattr(part, name) for part in parts)])

    sizes = column("sizes")
    names = ("places", "game_ids", "environments", "tournaments", "agents", "teams", "ranks")
    rest: Mapping[str, Integers] = {name: column(name) for name in names}
    return FoldedGames(sizes=sizes, starts=np.cumsum(sizes) - sizes, **rest)
