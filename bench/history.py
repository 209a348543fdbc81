"""Keeps what was measured: a line of JSON for each part of a run that is to be remembered.

    {"date": "2026-01-31", "revision": "0123456789ab", "machine": "2 cores, ...", "rows": [...]}

A row has its `part`, its words (`what`), its `figure` in `unit` and its `target`, an upper bound
with `at_most`; the numbers behind it are of that machine alone and are not kept. A revision ends
in `+` where files had been changed since.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Row
from bench.report import as_plain, machine, number, target, verdict, with_unit

_CHECKOUT = Path(__file__).resolve().parent.parent
FILE = _CHECKOUT / "docs" / "bench-history.jsonl"
PAGE = _CHECKOUT / "docs" / "bench.md"
_BEGIN, _END = "<!-- history -->", "<!-- /history -->"
_KEPT = ("part", "what", "figure", "unit", "target", "at_most")


@dataclass(frozen=True, slots=True)
class Remembered:
    """The newest figure of a row, the day and the commit of its run, and the figures `before` it,
    the oldest first."""

    row: Row
    date: str
    revision: str
    before: tuple[float, ...] = ()


def remember(rows: Sequence[Row], file: Path = FILE, page: Path = PAGE) -> None:
    """Add the rows of a part to the end of a history, and make the table of a page again."""
    line = {
        "date": datetime.now(UTC).date().isoformat(),
        "revision": _revision(),
        "machine": machine(),
        "rows": [{name: as_plain(row)[name] for name in _KEPT} for row in rows],
    }
    with file.open("a") as history:
        history.write(json.dumps(line) + "\n")
    before, _, rest = page.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(before + quoted(file) + after)


def quoted(file: Path = FILE) -> str:
    """A history as a page has it."""
    return f"{_BEGIN}\n{as_table(remembered(file))}\n{_END}"


def remembered(file: Path = FILE) -> list[Remembered]:
    """Every row of a history, in the order in which they were first measured."""
    found: dict[tuple[str, str], Remembered] = {}
    for line in file.read_text().splitlines():
        run = json.loads(line)
        for kept in run["rows"]:
            figure = kept.pop("figure")
            row = Row(**kept, values=[figure])
            last = found.get((row.part, row.what))
            before = () if last is None else (*last.before, last.row.figure)
            found[row.part, row.what] = Remembered(row, run["date"], run["revision"], before)
    return [*found.values()]


def as_table(kept: Sequence[Remembered]) -> str:
    """A Markdown table of the newest figures, with at most three before each."""
    lines = [
        "| part | figure | measured | promised | met | before | day | commit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in kept:
        row = one.row
        before = ", ".join(number(figure) for figure in one.before[-3:])
        lines.append(
            f"| {row.part} | {row.what} | {with_unit(row.figure, row.unit)} | {target(row)} "
            f"| {verdict(row)} | {before} | {one.date} | {one.revision} |"
        )
    return "\n".join(lines)


def _revision() -> str:
    """The commit that is checked out; empty where there is no repository."""
    asked = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    done = subprocess.run(asked, cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
