"""What all schedules share: what they are made from, what is refused, and their seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Unpack

from arena.core import Pairing, ScheduleSpec, UsageError
from arena.matchmakers.blocks import Lineup, Seating, seating
from arena.matchmakers.options import Option, read


@dataclass(frozen=True, slots=True)
class Frame:
    """What a schedule is made from: checked, so that every matchmaker can count on it."""

    matchmaker: str
    agents: tuple[int, ...]
    games: int
    seed: int
    seating: Seating
    options: Mapping[str, Any]

    @property
    def num_players(self) -> int:
        return self.seating.num_players

    def block(self, drawn: Lineup, index: int, block: int) -> list[Pairing]:
        """The pairings of a block whose agents are `drawn`, from place `index` of the schedule."""
        seed = game_seed(self.seed, block)
        return [
            Pairing(index + game, block, seed, agents)
            for game, agents in enumerate(self.seating.games(drawn, seed))
        ]


def frame(
    matchmaker: str, own: Mapping[str, Option] | None = None, **spec: Unpack[ScheduleSpec]
) -> Frame:
    """Checks everything before the first pairing is asked for; `own` are the matchmaker's options
    beside those that all share.

    Raises UsageError for options that are not known, for fewer agents than a block seats without
    `repeat`, for teams that the environment does not have, and for a number of games that does not
    fill its blocks.
    """
    agents, num_players, games, seed = (
        spec["agents"], spec["num_players"], spec["games"], spec["seed"]
    )  # fmt: skip
    chosen = read(spec["options"], matchmaker, own or {})
    if num_players < 1 or games < 1:
        raise UsageError(f"{games} games of {num_players} players: expected at least one of each")
    _check_agents(agents)
    shape = seating(
        chosen["seating"],
        blocks=chosen["blocks"],
        num_players=num_players,
        casting=spec["casting"],
        seed=game_seed(seed, 0),
    )
    if len(agents) < shape.slots and not chosen["repeat"]:
        what = (
            f"a game of {num_players} players"
            if shape.slots == num_players
            else f"a game of {shape.slots} teams"
        )
        raise UsageError(
            f"{len(agents)} agent{'s' if len(agents) > 1 else ''} for {what}: enter at least "
            f"{shape.slots}, or let agents take several seats with `repeat: true`"
        )
    _check_games(games, shape)
    return Frame(matchmaker, tuple(agents), games, seed, shape, chosen)


def game_seed(seed: int, block: int) -> int:
    """The seed that all games of a block share: 31 bits, from the tournament's seed."""
    digest = blake2b(f"{seed}/{block}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _check_agents(agents: Sequence[int]) -> None:
    if not agents:
        raise UsageError("no agents: expected at least one")
    twice = sorted({agent for agent in agents if agents.count(agent) > 1})
    if twice:
        raise UsageError(
            f"agent {twice[0]} is entered twice: expected every agent once; "
            "`repeat: true` lets agents take several seats"
        )


def _check_games(games: int, shape: Seating) -> None:
    left = games % shape.size
    if left:
        fewer, more = games - left, games - left + shape.size
        nearest = f"{fewer} or {more}" if fewer else f"{more}"
        one = {"rotate": "player", "clones": "team", "opposite": "side of the two"}[shape.kind]
        raise UsageError(
            f"{games} games cannot be played in blocks of {shape.size}, one for each {one}: "
            f"choose {nearest} games, or `blocks: false`"
        )
