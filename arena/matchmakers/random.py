"""The matchmaker `random`: every game draws its agents and their places by lot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

from arena.core import Pairing, Rating
from arena.matchmakers.schedule import Lineup, pairings


class RandomMatchmaker:
    """Each game seats distinct agents, all equally likely, in an order equally likely.

    Options: `blocks` (default false) plays each draw once per player on one seed, with the agents
    rotated by one place each time; `games` must then be a multiple of the number of players.
    `repeat` (default false) allows fewer agents than players: each then takes as many seats as any
    other, and who takes the seats left over is drawn.
    """

    def __init__(
        self,
        *,
        agents: Sequence[int],
        num_players: int,
        games: int,
        seed: int,
        options: Mapping[str, Any],
    ) -> None:
        """Raises UsageError; see `arena.matchmakers.schedule.pairings`."""
        self._pairings = pairings(
            _lots,
            matchmaker="random",
            agents=agents,
            num_players=num_players,
            games=games,
            seed=seed,
            options=options,
        )

    def next(self, standings: Mapping[int, Rating], room: int) -> Sequence[Pairing]:
        """The next `room` pairings, or what is left; standings play no part."""
        return tuple(islice(self._pairings, max(room, 0)))


def _lots(agents: Sequence[int], num_players: int, rng: Random) -> Iterator[Lineup]:
    copies, drawn = divmod(num_players, len(agents))
    while True:
        seated = [*agents] * copies + rng.sample(agents, drawn)
        if copies:
            rng.shuffle(seated)
        yield tuple(seated)
