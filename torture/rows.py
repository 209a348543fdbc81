"""What a part reports: one figure, what is promised of it, and whether the promise is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Bound = Literal["exactly", "at most", "at least", "below"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a part: `value` in `unit` (nothing for a count).

    `promised` is what `value` is held against, in the sense of `bound`; None where nothing is
    promised. `note` says how the figure came about.
    """

    part: str
    name: str
    value: float
    promised: float | None = None
    bound: Bound = "exactly"
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept; None where nothing is promised. NaN keeps none."""
        if self.promised is None:
            return None
        return {
            "exactly": self.value == self.promised,
            "at most": self.value <= self.promised,
            "at least": self.value >= self.promised,
            "below": self.value < self.promised,
        }[self.bound]


def kept(rows: Sequence[Row]) -> bool:
    """Whether no promise of the rows is broken."""
    return all(row.met is not False for row in rows)
