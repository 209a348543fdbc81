"""What fixed schedules share: their options, their seeds, and blocks.

A fixed schedule is a pure function of the agents' order, the number of players, the number of
games, the tournament's seed and the options. To go on after k games, make it again and pass over k
pairings: the number of games only says where it stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from hashlib import blake2b
from itertools import count, islice
from random import Random
from typing import Any

from arena.core import Pairing, UsageError

Lineup = tuple[int, ...]
"""Agents by player_index, for one game."""

Lineups = Callable[[Sequence[int], int, Random], Iterator[Lineup]]
"""Endless lineups of that many players of these agents."""


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """`blocks`: as many games as there are players share a seed, and the agents rotate through the
    players. `repeat`: with fewer agents than players, agents take several seats."""

    blocks: bool = False
    repeat: bool = False

    @classmethod
    def read(cls, options: Mapping[str, Any], matchmaker: str) -> ScheduleOptions:
        """Raises UsageError for an option that is not known or not true or false."""
        known = [field.name for field in fields(cls)]
        for name, value in options.items():
            if name not in known:
                near = get_close_matches(str(name), known, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"expected {' or '.join(known)}"
                raise UsageError(f"matchmaker {matchmaker} has no option `{name}`: {hint}")
            if not isinstance(value, bool):
                raise UsageError(
                    f"matchmaker {matchmaker}: `{name}` is {value!r}, expected true or false"
                )
        return cls(**options)


def pairings(
    lineups: Lineups,
    *,
    matchmaker: str,
    agents: Sequence[int],
    num_players: int,
    games: int,
    seed: int,
    options: Mapping[str, Any],
) -> Iterator[Pairing]:
    """The whole schedule, in order.

    Everything is checked at once, before the first pairing is asked for. Raises UsageError for
    numbers that make no schedule: fewer agents than players without `repeat`, or with `blocks` a
    number of games that is not a multiple of the number of players.
    """
    chosen = ScheduleOptions.read(options, matchmaker)
    _check(agents, num_players, games, chosen)
    rotations = num_players if chosen.blocks else 1
    drawn = lineups(agents, num_players, Random(f"{matchmaker} {seed}"))

    def schedule() -> Iterator[Pairing]:
        index = count()
        for block, lineup in enumerate(islice(drawn, games // rotations)):
            block_seed = game_seed(seed, block)
            for turn in range(rotations):
                seated = lineup[-turn:] + lineup[:-turn] if turn else lineup
                yield Pairing(next(index), block, block_seed, seated)

    return schedule()


def game_seed(seed: int, block: int) -> int:
    """The seed that all games of a block share: 31 bits, from the tournament's seed."""
    digest = blake2b(f"{seed}/{block}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _check(agents: Sequence[int], num_players: int, games: int, options: ScheduleOptions) -> None:
    if num_players < 1 or games < 1:
        raise UsageError(f"{games} games of {num_players} players: expected at least one of each")
    if not agents:
        raise UsageError("no agents: expected at least one")
    twice = sorted({agent for agent in agents if agents.count(agent) > 1})
    if twice:
        raise UsageError(
            f"agent {twice[0]} is entered twice: expected every agent once; "
            "`repeat: true` lets agents take several seats"
        )
    if len(agents) < num_players and not options.repeat:
        raise UsageError(
            f"{len(agents)} agents for a game of {num_players} players: enter at least "
            f"{num_players}, or let agents take several seats with `repeat: true`"
        )
    left = games % num_players
    if options.blocks and left:
        fewer, more = games - left, games - left + num_players
        nearest = f"{fewer} or {more}" if fewer else f"{more}"
        raise UsageError(
            f"{games} games cannot be played in blocks of {num_players}, one for each player: "
            f"choose {nearest} games, or `blocks: false`"
        )
