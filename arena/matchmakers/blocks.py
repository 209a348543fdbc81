"""Blocks: how the agents drawn together are seated in the games that share a seed.

Every agent of a block has a slot. The first `meet` slots are those whose meeting the block is for;
`fill` further slots only make the table full. Which slot a player has in each game is all that a
seating says:

- `rotate`: a slot per player; from game to game everybody moves on by one player.
- `clones`: a slot per team, an agent in all places of it; from game to game agents move on by one
  team. It asks who makes the better team.
- `opposite`: two agents sit on opposite teams, in seats that the seed chooses, and swap them in the
  second game; the others stay where they are. It asks who is the better opponent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from arena.core import Casting, Part, UsageError

Lineup = tuple[int, ...]
"""Agents by player_index for a game, or by slot for a block."""

LineupKind = Literal["rotate", "clones", "opposite"]


@dataclass(frozen=True, slots=True)
class Seating:
    """The shape of a block: `size` games of `meet + fill` agents."""

    kind: LineupKind
    num_players: int
    size: int
    meet: int
    fill: int
    casting: Casting

    @property
    def slots(self) -> int:
        return self.meet + self.fill

    def plan(self, seed: int) -> list[tuple[int, ...]]:
        """For every game of the block from this seed, the slot of every player_index.

        Raises UsageError where the seed deals out other teams than the seating is for.
        """
        players = range(self.num_players)
        if self.kind == "rotate":
            return [
                tuple((player - game) % self.num_players for player in players)
                for game in range(self.size)
            ]
        parts = self.casting(seed)
        teams = team_names(parts, self.kind)
        if self.kind == "clones":
            if len(teams) != self.meet:
                raise UsageError(
                    f"seating: clones found {len(teams)} teams in the game from seed {seed}, "
                    f"expected {self.meet} as in the others: use `seating: rotate`"
                )
            at = [teams.index(part.team) for part in parts]
            return [tuple((team - game) % self.meet for team in at) for game in range(self.size)]
        return self._opposite(parts, teams, Random(f"opposite {seed}"))

    def games(self, drawn: Sequence[int], seed: int) -> list[Lineup]:
        """The agents by player_index of every game of a block; `drawn` holds them by slot."""
        return [tuple(drawn[slot] for slot in plan) for plan in self.plan(seed)]

    def _opposite(
        self, parts: Sequence[Part], teams: Sequence[str | None], rng: Random
    ) -> list[tuple[int, ...]]:
        one, other = (
            rng.choice([player for player, part in enumerate(parts) if part.team == team])
            for team in rng.sample(teams, 2)
        )
        fillers = iter(range(2, self.num_players))
        first = [
            0 if player == one else 1 if player == other else next(fillers)
            for player in range(self.num_players)
        ]
        second = [{0: 1, 1: 0}.get(slot, slot) for slot in first]
        return [tuple(first), tuple(second)][: self.size]


def seating(
    kind: LineupKind, *, blocks: bool | None, num_players: int, casting: Casting, seed: int
) -> Seating:
    """The seating of a tournament; the game from `seed` tells which teams there are.

    `blocks: None` is whatever the seating is for: rotating seats a lineup once, the others swap.
    Raises UsageError for an environment without the teams that the seating needs.
    """
    if kind == "rotate":
        size = num_players if blocks else 1
        return Seating(kind, num_players, size, num_players, 0, casting)
    swapped = blocks is not False
    if kind == "opposite":
        team_names(casting(seed), kind)
        return Seating(kind, num_players, 2 if swapped else 1, 2, num_players - 2, casting)
    teams = len(team_names(casting(seed), kind))
    return Seating(kind, num_players, teams if swapped else 1, teams, 0, casting)


def team_names(parts: Sequence[Part], kind: str) -> list[str | None]:
    """The names of the teams, sorted. Raises UsageError where players have none."""
    named = sorted({part.team for part in parts if part.team is not None})
    if len(named) < 2 or any(part.team is None for part in parts):
        raise UsageError(
            f"seating: {kind} needs an environment in which every player is in one of several "
            "teams; in this one everybody plays alone: use `seating: rotate`, with "
            "`blocks: true` for the same seed from every seat"
        )
    return list(named)


def fillers(pool: Sequence[int], needed: int, played: Sequence[int], rng: Random) -> list[int]:
    """The agents who fill a table: those who have played least, drawn by lot among equals, several
    times each where there are fewer than needed. `played[k]` counts the games of `pool[k]`."""
    lots = [rng.random() for _ in pool]
    order = sorted(range(len(pool)), key=lambda k: (played[k], lots[k]))
    return [pool[order[k % len(pool)]] for k in range(needed)]
