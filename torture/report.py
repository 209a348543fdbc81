"""Prints rows: for people, as JSON, and as the Markdown table of the README."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict

from torture.rows import Row


def number(value: float) -> str:
    """A count as it is, anything else with three figures."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".strip()


def promise(row: Row) -> str:
    if row.promised is None:
        return ""
    bound = "" if row.bound == "exactly" else f"{row.bound} "
    return f"{bound}{with_unit(row.promised, row.unit)}"


def verdict(row: Row) -> str:
    return {None: "", True: "yes", False: "NO"}[row.met]


def machine() -> str:
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; load average {os.getloadavg()[0]:.1f}"
    )


def as_text(row: Row) -> str:
    """One row for people: the figure, what it is, and what is promised."""
    met = "" if row.met is None else f"  [{promise(row)}: {verdict(row)}]"
    note = f"\n{'':14}{row.note}" if row.note else ""
    return f"{with_unit(row.value, row.unit):>12}  {row.name}{met}{note}"


def as_json(rows: Sequence[Row]) -> str:
    plain = [{**asdict(row), "met": row.met} for row in rows]
    return json.dumps({"machine": machine(), "rows": plain}, indent=1)


def as_markdown(rows: Sequence[Row]) -> str:
    """The table of the README."""
    lines = ["| part | figure | measured | promised | met | beside |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.part} | {_cell(row.name)} | {with_unit(row.value, row.unit)} | {promise(row)} "
        f"| {verdict(row)} | {_cell(row.note)} |"
        for row in rows
    ]
    return "\n".join([*lines, "", f"One run: {machine()}."])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
