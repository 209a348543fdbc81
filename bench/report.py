"""Prints rows: for people, as JSON, and as the Markdown table of docs/bench.md."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from typing import Any

from bench.measure import Row


def number(value: float) -> str:
    """Three figures, more for large numbers."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    return f"{number(value)}x" if unit == "x" else f"{number(value)} {unit}"


def spread(row: Row) -> str:
    """The smallest and largest repetition; nothing for a single one."""
    if len(row.values) < 2:
        return ""
    return f"{number(min(row.values))} to {number(max(row.values))}"


def target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{'at most' if row.at_most else 'at least'} {with_unit(row.target, row.unit)}"


def verdict(row: Row) -> str:
    return {None: "", True: "yes", False: "NO"}[row.met]


def absolute(row: Row) -> str:
    parts = [f"{name} {number(value)}" for name, value in row.numbers.items()]
    return "; ".join([*parts, row.note] if row.note else parts)


def machine() -> str:
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; load average {os.getloadavg()[0]:.1f}"
    )


def as_text(row: Row) -> str:
    """One row for people: the figure, what it is beside, and what is promised."""
    met = "" if row.met is None else f"  [{target(row)}: {verdict(row)}]"
    around = f" ({spread(row)})" if spread(row) else ""
    return f"{with_unit(row.figure, row.unit):>10}{around}  {row.what}{met}\n{'':12}{absolute(row)}"


def as_plain(row: Row) -> dict[str, Any]:
    return {
        "part": row.part,
        "what": row.what,
        "figure": row.figure,
        "unit": row.unit,
        "values": list(row.values),
        "target": row.target,
        "at_most": row.at_most,
        "met": row.met,
        "numbers": dict(row.numbers),
        "note": row.note,
    }


def as_json(rows: Sequence[Row]) -> str:
    return json.dumps({"machine": machine(), "rows": [as_plain(row) for row in rows]}, indent=1)


def as_markdown(rows: Sequence[Row]) -> str:
    """The table of docs/bench.md."""
    lines = [
        "| part | figure | measured | spread | promised | met | beside |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.part} | {row.what} | {with_unit(row.figure, row.unit)} | {spread(row)} "
        f"| {target(row)} | {verdict(row)} | {absolute(row)} |"
        for row in rows
    ]
    return "\n".join([*lines, "", f"Medians of repetitions in one run: {machine()}."])
