"""The matchmaker `round-robin`: everybody meets everybody, evenly, at every place.

Between any two games no agent has played two more than another. For two places every pair meets
once, then once more with the places swapped (the circle method for an even number of agents,
Walecki's cycles for an odd one). For more places a game takes those who have met least. With
clones a place is a team, and with opposite sides one of the two seats that are swapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from random import Random
from typing import Unpack

from arena.core import ScheduleSpec
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.fixed import FixedSchedule
from arena.matchmakers.schedule import Frame, frame
from arena.matchmakers.seating import seat


def round_robin(**spec: Unpack[ScheduleSpec]) -> FixedSchedule:
    """An even schedule, shuffled by the seed: whenever it stops, the numbers of games of any two
    agents differ by at most one, and so do one agent's games at any two places; with blocks that
    holds for the blocks.

    Options: `seating` (rotate, clones or opposite), `blocks` and `repeat`, as all matchmakers have
    them. With `repeat` and fewer agents than players each takes as many seats as any other, and the
    seats left over go round.
    """
    return FixedSchedule(frame("round-robin", **spec), _rounds, stream="round_robin")


def _rounds(frame: Frame, rng: Random) -> Iterator[Lineup]:
    agents, places = frame.agents, frame.seating.meet
    n = len(agents)
    if places == 2 < n:
        while True:
            yield from _everybody_twice(rng.sample(agents, n), rng)
    dealt = _deal(agents, places, rng)
    while True:
        # In as many games as there are agents each plays once per place.
        yield from seat(list(islice(dealt, n)), places, rng)


def _everybody_twice(agents: Sequence[int], rng: Random) -> Iterator[Lineup]:
    """Every pair in one order of seats, then every pair in the other.

    The way back starts where the way there ended: an odd round out leaves everybody one game short
    at one place, and its swapped twin makes up for it before the next.
    """
    pairs = _walecki(agents) if len(agents) % 2 else _circle(agents, rng)
    n = len(agents)
    there = [seat(pairs[low : low + n], 2, rng) for low in range(0, len(pairs), n)]
    for games in there:
        yield from games
    for games in reversed(there):
        yield from ((second, first) for first, second in games)


def _circle(agents: Sequence[int], rng: Random) -> list[tuple[int, int]]:
    """Every pair of an even number of agents once, in rounds in which everybody plays."""
    *ring, last = agents
    n = len(ring)
    return [
        (ring[(r + j) % n], ring[(r - j) % n] if j else last)
        for r in rng.sample(range(n), n)
        for j in range((n + 1) // 2)
    ]


def _walecki(agents: Sequence[int]) -> list[tuple[int, int]]:
    """Every pair of an odd number of agents once, as cycles through everybody: every other step of
    a cycle, then the steps between, so that no agent gets two games ahead."""
    *ring, last = agents
    n = len(ring)
    pairs = []
    for i in range(n // 2):
        zigzag = [ring[(i + (j + 1) // 2 * (-1) ** (j + 1)) % n] for j in range(n)]
        cycle = [last, *zigzag]
        pairs += [(cycle[2 * j % (n + 1)], cycle[(2 * j + 1) % (n + 1)]) for j in range(n + 1)]
    return pairs


def _deal(agents: Sequence[int], places: int, rng: Random) -> Iterator[list[int]]:
    """Endless games of agents in no order of seats. Agents come off a shuffled deck that holds each
    of them once, first those that have met the others at the table least."""
    copies, dealt = divmod(places, len(agents))
    met = {agent: dict.fromkeys(agents, 0) for agent in agents}
    deck: list[int] = []
    while True:
        table: list[int] = []
        acquainted = dict.fromkeys(agents, 0)
        while len(table) < dealt:
            deck = deck or rng.sample(agents, len(agents))
            agent = min((a for a in deck if a not in table), key=acquainted.__getitem__)
            deck.remove(agent)
            table.append(agent)
            for other, times in met[agent].items():
                acquainted[other] += times
        for one, other in combinations(table, 2):
            met[one][other] += 1
            met[other][one] += 1
        seated = [*agents] * copies + table
        rng.shuffle(seated)
        yield seated
