"""What players state in brackets, and when that settles a value: by agreement or by votes.

`[rent: 120]` states the value `rent`. The latest statement of a player holds. A value is agreed on
once as many players as it asks for have stated the same; it is voted on once all of its voters have
voted, and most votes win. What is settled stays so.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from arena.scenarios.shape import ScenarioShape, SettledValue

Stated = str | float
"""An option, or a number."""

_STATEMENT = re.compile(r"\[([^\[\]:\n]{1,100}):([^\[\]\n]{1,100})\]")
_NUMBER = re.compile(r"[-+]?\d[\d,]{0,20}(?:\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a player states: of which value, and None for what that value does not take."""

    name: str
    stated: Stated | None


@dataclass(frozen=True, slots=True)
class Settled:
    """How a value was settled, None for a vote that was tied; `by` are the player_indexes that
    stated it."""

    name: str
    stated: Stated | None
    by: tuple[int, ...]


@dataclass(slots=True)
class ValueState:
    """A value of one game: what each player has stated last."""

    shape: SettledValue
    needed: int
    voters: tuple[int, ...] = ()
    stated: dict[int, Stated] = field(default_factory=dict)
    settled: Settled | None = None

    def read(self, written: str) -> Stated | None:
        """What somebody has written for it; None for what it does not take."""
        return read_as(self.shape.number, self.shape.options, written)

    def takes(self) -> str:
        """What it takes, for people: `a number from 50 to 200`."""
        return takes(self.shape.number, self.shape.options)

    def state(self, player: int, stated: Stated) -> Settled | None:
        """Take a statement; how that settled the value, if it did."""
        if self.settled is not None or (self.voters and player not in self.voters):
            return None
        self.stated[player] = stated
        if self.voters:
            return self._voted()
        same = tuple(sorted(p for p, other in self.stated.items() if other == stated))
        if len(same) >= self.needed:
            self.settled = Settled(self.shape.name, stated, same)
        return self.settled

    def _voted(self) -> Settled | None:
        if not self.stated.keys() >= {*self.voters}:
            return None
        votes = Counter(self.stated.values()).most_common()
        tied = len(votes) > 1 and votes[0][1] == votes[1][1]
        won = None if tied else votes[0][0]
        by = tuple(sorted(player for player, vote in self.stated.items() if vote == won))
        self.settled = Settled(self.shape.name, won, by)
        return self.settled


def values_of(shape: ScenarioShape) -> list[ValueState]:
    """The values of a scenario, of which nobody has stated any."""
    index = {persona.name: number for number, persona in enumerate(shape.personas)}
    talking = {
        name for scene in shape.scenes for name in (index if scene.speaks is None else scene.speaks)
    }
    return [
        ValueState(
            value,
            value.agreed_by or len(talking),
            tuple(sorted(index[name] for name in value.voters)),
        )
        for value in shape.values
    ]


def statements(text: str, values: Sequence[ValueState]) -> list[Statement]:
    """What a player states in these words: of each value the last statement."""
    known = {value.shape.name.casefold(): value for value in values}
    found: dict[str, Statement] = {}
    for match in _STATEMENT.finditer(text):
        value = known.get(match[1].strip().casefold())
        if value is not None:
            name = value.shape.name
            found[name] = Statement(name, value.read(match[2].strip()))
    return list(found.values())


def read_as(
    number: tuple[float, float] | None, options: Sequence[str], written: str
) -> Stated | None:
    """An option in letters of any case, or a number within its bounds; None for anything else."""
    if number is None:
        same = written.strip().casefold()
        return next((option for option in options if option.casefold() == same), None)
    found = _NUMBER.findall(written)
    if len(found) != 1:
        return None
    value = float(found[0].replace(",", ""))
    if whole(number) and value != math.floor(value):
        return None
    return value if number[0] <= value <= number[1] else None


def whole(number: tuple[float, float]) -> bool:
    """Whether the numbers between these bounds are whole ones."""
    return all(bound == math.floor(bound) for bound in number)


def takes(number: tuple[float, float] | None, options: Sequence[str]) -> str:
    """What may be stated, for people."""
    if number is None:
        return " or ".join(options)
    kind = "a whole number" if whole(number) else "a number"
    return f"{kind} from {shown(number[0])} to {shown(number[1])}"


def shown(stated: Stated | None) -> str:
    """A value for people."""
    if isinstance(stated, float):
        return f"{stated:.15g}"
    return "undecided" if stated is None else str(stated)
