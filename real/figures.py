"""Counts out of counts, and what they should reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` out of `of`. The share should be at `least`, or at `most`, what is given; a figure
    with neither is only told."""

    what: str
    value: int
    of: int
    least: float | None = None
    most: float | None = None

    @property
    def share(self) -> float:
        """From 0 to 1; 0 of nothing."""
        return self.value / self.of if self.of else 0.0

    @property
    def met(self) -> bool | None:
        """Whether it reaches what it should; None where nothing is asked of it."""
        if self.least is None and self.most is None:
            return None
        low = 0.0 if self.least is None else self.least
        return self.of > 0 and low <= self.share <= (1.0 if self.most is None else self.most)


def as_text(title: str, figures: Iterable[Figure]) -> str:
    """A table for a terminal."""
    lines = [f"{title:<56}{'count':>13}{'share':>9}{'reach':>9}"]
    for figure in figures:
        reach = "" if figure.least is None else f">={figure.least:.0%}"
        reach = reach if figure.most is None else f"<={figure.most:.0%}"
        mark = {True: "", False: "  not reached", None: ""}[figure.met]
        count = f"{figure.value:,}/{figure.of:,}"
        lines.append(f"  {figure.what:<54}{count:>13}{figure.share:>9.1%}{reach:>9}{mark}")
    return "\n".join(lines) + "\n"
