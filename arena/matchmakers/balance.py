"""How evenly a schedule treats its agents: games, roles, and who met whom on which side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from arena.core import Casting, Pairing
from arena.core.arrays import Integers


@dataclass(frozen=True, slots=True)
class Balance:
    """Integers over a schedule, rows and columns in order of `agents` and `roles`.

    `games` (n,) counts the games of each agent, once where it has several seats; `by_role`
    (n, roles) its seats in each role; `together` (n, n) the games of two different agents, of which
    in `allied` they have seats in the same team and in `opposed` in different ones. `roles` are
    roles where the rules know them, else teams, else places at the table ("player 0").
    """

    agents: tuple[int, ...]
    roles: tuple[str, ...]
    games: Integers
    by_role: Integers
    together: Integers
    allied: Integers
    opposed: Integers

    @property
    def uneven_games(self) -> int:
        """By how much the agent with the most games is ahead of the one with the fewest."""
        return _spread(self.games)

    @property
    def uneven_roles(self) -> int:
        """The same of the seats in one role, for the role where it is largest."""
        return max((_spread(column) for column in self.by_role.T), default=0)

    @property
    def uneven_meetings(self) -> int:
        """The same of the games of two agents together."""
        return _spread(self._pairs(self.together))

    @property
    def uneven_opposition(self) -> int:
        """The same of the games of two agents in different teams."""
        return _spread(self._pairs(self.opposed))

    def _pairs(self, matrix: Integers) -> Integers:
        return matrix[np.triu_indices(len(self.agents), 1)]


def counts(
    pairings: Sequence[Pairing], casting: Casting, agents: Sequence[int] | None = None
) -> Balance:
    """The balance of these pairings, in which `agents` might have played: those who do, by id,
    unless given. Raises ValueError for a pairing of an agent that is not among them."""
    seated = {agent for pairing in pairings for agent in pairing.agents}
    everybody = tuple(sorted(seated) if agents is None else agents)
    if strangers := sorted(seated - {*everybody}):
        raise ValueError(f"agent {strangers[0]} plays: expected only {list(everybody)}")
    position = {agent: at for at, agent in enumerate(everybody)}
    n = len(everybody)
    games: Integers = np.zeros(n, np.int64)
    together, allied, opposed = (np.zeros((n, n), np.int64) for _ in range(3))
    roles: dict[str, Integers] = {}
    for pairing in pairings:
        parts = casting(pairing.seed)
        at = [position[agent] for agent in pairing.agents]
        games[sorted(set(at))] += 1
        for player, (agent, part) in enumerate(zip(at, parts, strict=True)):
            role = part.role or part.team or f"player {player}"
            roles.setdefault(role, np.zeros(n, np.int64))[agent] += 1
        met: set[tuple[int, int, bool]] = set()
        for one, other in combinations(range(len(at)), 2):
            if at[one] != at[other]:
                team = parts[one].team
                same = team is not None and team == parts[other].team
                met.add((min(at[one], at[other]), max(at[one], at[other]), same))
        for a, b, same in met:
            which = allied if same else opposed
            which[[a, b], [b, a]] += 1
        for a, b in {(a, b) for a, b, _ in met}:
            together[[a, b], [b, a]] += 1
    names = tuple(sorted(roles))
    by_role = np.stack([roles[name] for name in names], axis=1) if names else np.zeros((n, 0), int)
    return Balance(everybody, names, games, by_role, together, allied, opposed)


def _spread(numbers: Integers) -> int:
    return int(numbers.max() - numbers.min()) if numbers.size else 0
