"""The matchmaker `least-played`: those who have played least come first.

Among them it takes those who have met the others at the table least, and gives each the role that
it has had least. Who is left is drawn by lot.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Unpack

from arena.core import ScheduleSpec
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.fixed import FixedSchedule
from arena.matchmakers.schedule import Frame, frame, game_seed
from arena.matchmakers.tally import Tally, first_players, what


def least_played(**spec: Unpack[ScheduleSpec]) -> FixedSchedule:
    """Counts of games differ by at most one wherever the schedule stops (between blocks, with
    blocks), and roles are spread as evenly as they can be once it is known who plays.

    Counts are of games scheduled, so that the schedule depends on no result. Options: `seating`
    (rotate, clones or opposite), `blocks` and `repeat`, as all matchmakers have them.
    """
    return FixedSchedule(frame("least-played", **spec), _neediest)


def _neediest(frame: Frame, rng: Random) -> Iterator[Lineup]:
    agents, shape = frame.agents, frame.seating
    tally = Tally(agents, shape.casting)
    copies, dealt = divmod(shape.meet, len(agents))
    for block in count():
        table: list[int] = []
        lots = [rng.random() for _ in agents]
        for _ in range(dealt):
            table.append(
                min(
                    (at for at in range(len(agents)) if at not in table),
                    key=lambda at: (tally.played[at], tally.met[at, table].sum(), lots[at]),
                )
            )
        seed = game_seed(frame.seed, block)
        plan, parts = shape.plan(seed), shape.casting(seed)
        seated = tally.seat(
            [*range(len(agents))] * copies + table, parts, first_players(plan[0], shape.meet), rng
        )
        for game in plan:
            tally.add(
                [(seated[slot], what(parts, p)) for p, slot in enumerate(game) if slot < shape.meet]
            )
        yield tuple(agents[at] for at in seated)
