"""The matchmaker `challenge`: the first agent meets every other in turn, seats alternating."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Casting, Pairing, Standings, UsageError


class Challenge:
    """For two players; every game has a seed of its own."""

    lag = None  # no pairing depends on a result

    def __init__(
        self,
        *,
        agents: Sequence[int],
        num_players: int,
        games: int,
        seed: int,
        options: Mapping[str, Any],
        casting: Casting,
    ) -> None:
        if num_players != 2 or len(agents) < 2 or options:
            raise UsageError("challenge seats two players, needs two agents and has no options")
        rng = random.Random(seed)
        champion, others = agents[0], agents[1:]
        self._schedule = [
            Pairing(
                schedule_index=index,
                block=index,
                seed=rng.getrandbits(31),
                agents=_seats(champion, others[index // 2 % len(others)], index % 2 == 1),
            )
            for index in range(games)
        ]

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        done = len(standings.scheduled)
        return self._schedule[done : done + room]


def _seats(champion: int, challenger: int, swapped: bool) -> tuple[int, int]:
    return (challenger, champion) if swapped else (champion, challenger)
