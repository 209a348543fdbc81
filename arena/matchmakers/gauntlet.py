"""The matchmaker `gauntlet`: newcomers against the field.

Every game seats one newcomer, the newcomers in turn; the others are those of the field whom it has
met least. So each newcomer meets everybody in the field equally often, and nothing is spent on
games of which the field's own standings are known already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Unpack

from arena.core import ScheduleSpec, UsageError
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.fixed import FixedSchedule
from arena.matchmakers.options import at_least, switch
from arena.matchmakers.schedule import Frame, frame
from arena.matchmakers.seating import seat


def gauntlet(**spec: Unpack[ScheduleSpec]) -> FixedSchedule:
    """Wherever the schedule stops, a newcomer's meetings with any two of the field differ by at
    most one, and so do its games at any two places (of the blocks, with blocks).

    Options: `newcomers` (default 1), how many of the last agents in the configuration are new;
    `meet` (default false), whether newcomers are among each other's opponents as well; and
    `seating` (rotate, clones or opposite), `blocks` and `repeat`, as all matchmakers have them.

    Raises UsageError for newcomers that leave no field, or a field that does not fill a game
    without `repeat`; and see `arena.matchmakers.schedule.frame`.
    """
    own = {"newcomers": at_least(1, 1), "meet": switch(False)}
    table, agents = frame("gauntlet", own, **spec), spec["agents"]
    new, meet = table.options["newcomers"], table.options["meet"]
    field = table.agents[:-new]
    if not field:
        raise UsageError(
            f"gauntlet: newcomers: {new} of {len(agents)} agents leave no field to meet: "
            f"expected at most {len(agents) - 1}"
        )
    opponents = len(agents) - 1 if meet else len(field)
    needed = table.seating.slots - 1
    if opponents < needed and not table.options["repeat"]:
        raise UsageError(
            f"gauntlet: {opponents} opponents for a newcomer, who needs {needed}: enter more "
            "agents, count fewer of them among the newcomers, let newcomers meet with "
            "`meet: true`, or let agents take several seats with `repeat: true`"
        )
    return FixedSchedule(table, _challenges, fill=table.agents if meet else field)


def _challenges(frame: Frame, rng: Random) -> Iterator[Lineup]:
    new, places = frame.options["newcomers"], frame.seating.meet
    newcomers = rng.sample(frame.agents[-new:], new)
    field = frame.agents[:-new]
    met = {newcomer: dict.fromkeys(frame.agents, 0) for newcomer in newcomers}
    played = dict.fromkeys(frame.agents, 0)

    def opponents(newcomer: int) -> list[int]:
        others = [a for a in frame.agents if a != newcomer] if frame.options["meet"] else field
        lots = {agent: rng.random() for agent in others}
        order = sorted(others, key=lambda a: (met[newcomer][a], played[a], lots[a]))
        return [order[k % len(order)] for k in range(places - 1)]

    while True:
        for newcomer in newcomers:
            # In as many games as there are places it sits at each of them once.
            games = []
            for _ in range(places):
                table = [newcomer, *opponents(newcomer)]
                for agent in set(table[1:]):
                    met[newcomer][agent] += 1
                    played[agent] += 1
                    if agent in met:
                        met[agent][newcomer] += 1
                games.append(table)
            yield from _seated(games, places, rng)


def _seated(games: Sequence[Sequence[int]], places: int, rng: Random) -> list[Lineup]:
    """The games in order of place. Where an agent has several seats in one, places are drawn."""
    if all(len(set(table)) == len(table) for table in games):
        return seat(games, places, rng)
    return [tuple(rng.sample(list(table), places)) for table in games]
