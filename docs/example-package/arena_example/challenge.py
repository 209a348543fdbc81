"""The matchmaker `challenge`: the first agent meets every other in turn, seats alternating."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Unpack

from arena.core import Pairing, ScheduleSpec, Standings, UsageError


class Challenge:
    """For two players; every game has a seed of its own."""

    lag = None  # no pairing depends on a result

    def __init__(self, **spec: Unpack[ScheduleSpec]) -> None:
        champion, *others = spec["agents"]
        if spec["num_players"] != 2 or not others or spec["options"]:
            raise UsageError("challenge seats two players, needs two agents and has no options")
        rng = random.Random(spec["seed"])
        self._schedule = [
            Pairing(
                schedule_index=index,
                block=index,
                seed=rng.getrandbits(31),
                agents=_seats(champion, others[index // 2 % len(others)], index % 2 == 1),
            )
            for index in range(spec["games"])
        ]

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        done = len(standings.scheduled)
        return self._schedule[done : done + room]


def _seats(champion: int, challenger: int, swapped: bool) -> tuple[int, int]:
    return (challenger, champion) if swapped else (champion, challenger)
