"""Finished games as packed columns: what rating systems read.

A million games as objects take longer to load than to rate, so they travel as flat columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.core.pairings import RatedPlayer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = Sequence[int] | NDArray[np.int64]


def seat_role(role: str | None, player_index: int) -> str:
    """What a rating system takes for the role of a seat: its place, where the rules know no
    roles, because to sit first is an advantage like any other."""
    return f"player {player_index}" if role is None else role


@dataclass(frozen=True, slots=True)
class Games:
    """Finished games in the order in which they are folded.

    `sizes[g]` is the number of seats of game g; `agents`, `teams` and `ranks` hold one number per
    seat, game after game: lists, arrays or numpy columns of the same length. Seats with the same
    team number in a game play together and share a rank; lower ranks are better.

    `roles` holds per seat a position in `role_names`; empty when nothing is known of roles (every
    seat is then the same to a rating system). `environments` holds per game a position in
    `environment_names`; empty when all games are of one environment. A role counts within its
    environment: the Doctor of one has nothing to do with the Doctor of another.

    `blocks` holds per game a number that those of one seed share, which deals their luck, and -1
    where a game stands alone; empty when all do.

    `scores` holds per seat what the rules counted for it (chips, points), more is better, NaN where
    that is not known; empty when nothing is. Only a system that says so reads them.

    `covariates` holds per seat a number whose expectation is 0 whoever sits there (see
    `arena.core.covariates`), NaN where it is not known; empty when nothing is.
    """

    sizes: Column
    agents: Column
    teams: Column
    ranks: Column
    roles: Column = ()
    role_names: Sequence[str] = ()
    environments: Column = ()
    environment_names: Sequence[str] = ()
    blocks: Column = ()
    scores: Sequence[float] | NDArray[np.float64] = ()
    covariates: Sequence[float] | NDArray[np.float64] = ()

    @classmethod
    def of(cls, games: Iterable[Sequence[RatedPlayer]]) -> Games:
        """The columns of games given seat by seat."""
        played = list(games)
        seats = [player for game in played for player in game]
        return cls(
            sizes=[len(game) for game in played],
            agents=[player.agent_id for player in seats],
            teams=[player.team for player in seats],
            ranks=[player.rank for player in seats],
        )

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[tuple[RatedPlayer, ...]]:
        seats = zip(self.agents, self.teams, self.ranks, strict=True)
        for size in self.sizes:
            yield tuple(
                RatedPlayer(int(agent), int(team), int(rank))
                for _, (agent, team, rank) in zip(range(size), seats, strict=False)
            )

    def chunks(self, size: int) -> Iterator[tuple[int, Games]]:
        """The games in pieces of at most `size`, each with the number of games before it; one
        empty piece if there are no games. Without roles and environments."""
        import numpy as np

        from arena.core.arrays import whole

        ends = np.cumsum(whole(self.sizes, "size"))
        low = 0
        for at in range(0, max(len(self), 1), size):
            high = len(self.agents) if at + size >= len(self) else int(ends[at + size - 1])
            yield (
                at,
                Games(
                    self.sizes[at : at + size],
                    self.agents[low:high],
                    self.teams[low:high],
                    self.ranks[low:high],
                ),
            )
            low = high
