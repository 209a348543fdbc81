"""The steps that games made ratings take, as packed columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session

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
