"""Games that are alike, found at once: two teams of the same sizes, no agent in two seats.

Whole tournaments are like that, and what a rebuild needs to know of them takes a fraction of what
`arena.ratings.online.columns` finds out about games of any shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.core import Games
from arena.core.arrays import Booleans, Floats, Integers, whole
from arena.ratings.online.columns import codes_of


@dataclass(frozen=True, slots=True)
class Even:
    """Games between a first team and a second one of at least as many seats.

    `names` are the agents' ids; `ahead` (games, first) and `behind` (games, second) are the teams'
    seats as positions among them; `sign` (games,) is 1.0 when the first team won, −1.0 when it
    lost, 0.0 for a draw.
    """

    names: Integers
    ahead: Integers
    behind: Integers
    sign: Floats

    @property
    def sizes(self) -> tuple[int, int]:
        return self.ahead.shape[1], self.behind.shape[1]

    @property
    def drawn(self) -> Booleans:
        drawn: Booleans = self.sign == 0.0
        return drawn

    def tally(self) -> tuple[list[int], list[int], list[int]]:
        """Games, wins and losses of every agent, in the order of `names`."""
        n = len(self.names)
        up, down = self.sign > 0.0, self.sign < 0.0
        halves = (
            (self.ahead, self.behind),
            (self.ahead[up], self.behind[down]),
            (self.ahead[down], self.behind[up]),
        )
        games, wins, losses = (
            np.bincount(np.concatenate([half.ravel() for half in pair]), minlength=n).tolist()
            for pair in halves
        )
        return games, wins, losses


def evenly(games: Games) -> Even | None:
    """None where the games are not alike, or not of two teams each; it is `lay_out` that says what
    is wrong with columns that make no games."""
    columns = {"size": games.sizes, "agent": games.agents, "team": games.teams, "rank": games.ranks}
    sizes, agents, teams, ranks = (whole(column, name) for name, column in columns.items())
    n, width = len(sizes), int(sizes[0]) if len(sizes) else 0
    if width < 2 or (sizes != width).any():
        return None
    if not n * width == len(agents) == len(teams) == len(ranks):
        return None
    names, codes = codes_of(agents)
    seats, teams, ranks = (_by_seat(column, width) for column in (codes, teams, ranks))
    apart, behind = teams != teams[0], ranks != ranks[0]
    # Of two values in a game, the one that its first seat does not have.
    rival, other = (rows.max(axis=0) + rows.min(axis=0) - rows[0] for rows in (teams, ranks))
    strangers = apart.sum(axis=0, dtype=np.int16)
    larger = 2 * strangers < width
    smaller = np.minimum(strangers, width - strangers)
    first = int(smaller[0])
    if (
        first < 1
        or (smaller != first).any()
        or (apart & (teams != rival)).any()
        or (behind & (ranks != other)).any()
        or (behind != (apart & (other != ranks[0]))).any()
        or any((seats[i] == seats[j]).any() for i in range(width) for j in range(i))
    ):
        return None
    second = (apart ^ larger).T.ravel()
    won = np.sign(other - ranks[0]) * np.where(larger, -1, 1)
    return Even(
        names,
        codes[~second].reshape(n, first),
        codes[second].reshape(n, width - first),
        won.astype(np.float64),
    )


def _by_seat(column: Integers, width: int) -> Integers:
    """A contiguous row for each seat of all games, of narrow numbers where they fit: every step is
    a sweep over such rows."""
    narrow = np.iinfo(np.int16)
    if column.min() >= narrow.min and column.max() <= narrow.max:
        column = column.astype(np.int16)
    return np.ascontiguousarray(column.reshape(-1, width).T)
