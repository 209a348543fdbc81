"""Prints rows: for people, as JSON, and as the tables of docs/torture.md."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from torture.databases import LABELS
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
    """Promises kept by part and database, and every figure."""
    return "\n\n".join([_summary(rows), _figures(rows), f"Measured on {machine()}."])


def _summary(rows: Sequence[Row]) -> str:
    kept: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row in rows:
        if row.met is not None:
            kept[row.part, _split(row.name)[0]].append(row.met)
    parts = dict.fromkeys(part for part, _ in kept)
    lines = [
        f"| part | {' | '.join(['both', *LABELS.values()])} | broken |",
        "|---|---|---|---|---|",
    ]
    for part in parts:
        cells = []
        for place in ("", *LABELS.values()):
            found = kept.get((part, place), [])
            cells.append(f"{sum(found)} of {len(found)}" if found else "")
        broken = "; ".join(
            f"{_cell(row.name)}: {with_unit(row.value, row.unit)}, promised {promise(row)}"
            for row in rows
            if row.part == part and row.met is False
        )
        lines.append(f"| {part} | {' | '.join(cells)} | {broken} |")
    return "\n".join(lines)


def _figures(rows: Sequence[Row]) -> str:
    table: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        place, name = _split(row.name)
        table.setdefault((row.part, name), {})[place] = row
    head = ["part", "figure", "promised", *LABELS.values()]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for (part, name), by_place in table.items():
        promised = promise(next(iter(by_place.values())))
        shown = by_place.get("")
        cells = [by_place.get(label, shown) for label in LABELS.values()]
        values = [with_unit(row.value, row.unit) if row else "" for row in cells]
        lines.append(f"| {part} | {_cell(name)} | {promised} | {' | '.join(values)} |")
    return "\n".join(lines)


def _split(name: str) -> tuple[str, str]:
    """The database that a figure is of, if it is of one, and the rest of its name."""
    for label in LABELS.values():
        if name.startswith((f"{label}: ", f"{label}, ")):
            return label, name[len(label) + 2 :]
    return "", name


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
