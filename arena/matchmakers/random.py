"""The matchmaker `random`: every game draws its agents and their places by lot."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Unpack

from arena.core import ScheduleSpec
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.fixed import FixedSchedule
from arena.matchmakers.schedule import Frame, frame


def random_matchmaker(**spec: Unpack[ScheduleSpec]) -> FixedSchedule:
    """Each game seats distinct agents, all equally likely, in an order equally likely.

    Options: `seating` (rotate, clones or opposite), `blocks` and `repeat`, as all matchmakers have
    them. With `repeat` and fewer agents than players each takes as many seats as any other, and who
    takes the seats left over is drawn.
    """
    return FixedSchedule(frame("random", **spec), _lots)


def _lots(frame: Frame, rng: Random) -> Iterator[Lineup]:
    agents = frame.agents
    copies, drawn = divmod(frame.seating.meet, len(agents))
    while True:
        seated = [*agents] * copies + rng.sample(agents, drawn)
        if copies:
            rng.shuffle(seated)
        yield tuple(seated)
