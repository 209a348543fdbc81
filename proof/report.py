"""What a proof finds: figures with what was promised, and tables."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `least` and `most` are what was promised of it, None where nothing
    was; `error` is its own standard error over the repetitions."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    error: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.least is None and self.most is None:
            return None
        low = self.least is None or self.value >= self.least
        return low and (self.most is None or self.value <= self.most)


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers side by side: `rows` are as long as `columns`."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the proof found. `setting` says in sentences what was simulated, how often,
    and from which seed."""

    name: str
    setting: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


def number(value: str | float) -> str:
    """Words as they are; numbers with three figures, whole numbers whole."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def promised(figure: Figure) -> str:
    """What was promised of a figure; nothing where nothing was."""
    if figure.least is not None and figure.most is not None:
        return f"{number(figure.least)} to {number(figure.most)}"
    if figure.least is not None:
        return f"at least {number(figure.least)}"
    return "" if figure.most is None else f"at most {number(figure.most)}"


def verdict(figure: Figure) -> str:
    return {None: "", True: "yes", False: "NO"}[figure.met]


def _measured(figure: Figure) -> str:
    error = "" if figure.error is None else f" ± {number(figure.error)}"
    return f"{number(figure.value)}{error}"


def as_text(part: Part) -> str:
    """A part for people."""
    lines = [f"\n{part.name}", part.setting]
    for table in part.tables:
        rows = [list(table.columns), *([number(cell) for cell in row] for row in table.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += ["", table.title]
        lines += [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
    lines += [""] if part.figures else []
    for figure in part.figures:
        said = promised(figure)
        met = f"  [{said}: {verdict(figure)}]" if said else ""
        note = f"; {figure.note}" if figure.note else ""
        lines.append(f"{_measured(figure):>16}  {figure.what}{met}{note}")
    return "\n".join(lines)


def as_json(parts: Sequence[Part]) -> str:
    """Every part with its figures and tables."""
    plain = [asdict(part) for part in parts]
    for found, part in zip(plain, parts, strict=True):
        for figure, shown in zip(part.figures, found["figures"], strict=True):
            shown["met"] = figure.met
    return json.dumps(plain, indent=1)


def as_markdown(parts: Sequence[Part]) -> str:
    """The tables of docs/proof.md."""
    lines: list[str] = []
    for part in parts:
        lines += [f"## {part.name.replace('_', ' ')}", "", part.setting, ""]
        if part.figures:
            lines += ["| figure | measured | promised | kept | |", "|---|---|---|---|---|"]
            lines += [
                f"| {figure.what} | {_measured(figure)} | {promised(figure)} | {verdict(figure)} "
                f"| {figure.note} |"
                for figure in part.figures
            ]
            lines.append("")
        for table in part.tables:
            lines += [f"**{table.title}**", "", _row(table.columns)]
            lines.append("|" + "---|" * len(table.columns))
            lines += [_row([number(cell) for cell in row]) for row in table.rows]
            lines.append("")
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
