"""What the commands print: data on stdout, everything else on stderr, both safe to look at."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Piped output is never cut: lines are as long as what they say.
_PIPED_WIDTH = 10_000
# How a formula begins, in ASCII and in the wide letters that some locales take for them.
_FORMULA = {*"=+-@\uff1d\uff0b\uff0d\uff20\u2212"}
_SKIPPED = " \u00a0\u3000\"'"
GAP = 2  # spaces between the columns of a table
NARROWEST = 8  # a column that shrank to less says nothing


def console(stream: TextIO | None = None, *, width: int | None = None) -> Console:
    """A console on stdout, or another stream; what it prints is never taken for markup."""
    from rich.console import Console

    stream = stream or sys.stdout
    if width is None and not stream.isatty():
        width = _PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def complain(message: str) -> None:
    """An error, on stderr."""
    _say("error", "bold red", message)


def advise(message: str) -> None:
    """Something that needs attention, on stderr."""
    _say("note", "bold yellow", message)


def tell(message: str) -> None:
    """Something that is good to know, on stderr."""
    print_line(safe(message), console(sys.stderr))


def _say(label: str, style: str, message: str) -> None:
    from rich.text import Text

    said = Text.assemble((f"{label}: ", style), safe(message, keep="\n"))
    print_line(said, console(sys.stderr))


def print_line(what: Text | str, out: Console | None = None) -> None:
    """A line on stdout, or on `out`: broken between words in a terminal, and nowhere in a pipe."""
    out = out or console()
    out.print(what, soft_wrap=not out.is_terminal)


JSON_VERSION = 1
"""Of what `--json` prints: raised when a field changes its meaning or goes away."""


def print_json(data: Mapping[str, Any]) -> None:
    """An object of JSON on stdout, which begins with the `version` of its form; rows stand below
    their name. In ASCII: no character of it can act on a terminal."""
    assert "version" not in data
    write_json({"version": JSON_VERSION, **data})


def write_json(data: Any) -> None:
    """JSON on stdout as it is, in ASCII."""
    sys.stdout.write(json.dumps(data, indent=2, default=_plain, ensure_ascii=True) + "\n")


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """CSV on stdout, a line for each row; every text is quoted, and none is a formula."""
    import csv

    if not rows:
        return
    writer = csv.DictWriter(
        sys.stdout, [*rows[0]], lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
    )
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)


def _inert(value: Any) -> Any:
    """A value for a spreadsheet: a text that it would run begins with an apostrophe, by which a
    spreadsheet itself tells texts from formulas."""
    from arena.core.text import visible

    if not isinstance(value, str):
        return value
    shown = visible(value)
    return f"'{shown}" if shown.lstrip(_SKIPPED)[:1] in _FORMULA else shown


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def safe(text: str, style: str = "", *, keep: str = "") -> Text:
    """A stranger's text for Rich: nothing in it is obeyed, and what was escaped stands out."""
    from rich.text import Text

    from arena.core.text import pieces

    result = Text(style=style)
    for piece, escaped in pieces(text, keep=keep):
        result.append(piece, "reverse dim" if escaped else None)
    return result


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    In a narrow terminal those that may `shrink` do, with an ellipsis. Before one of them is
    narrower than `least`, or than a third of the terminal, columns are left out. Those of `order` 0
    stay, and of the others those of the lowest get what room there is, those of one order together;
    None is the column's place from the left.
    """

    title: str
    align: Literal["left", "right"] = "left"
    shrink: bool = False
    style: str = ""
    order: int | None = None
    least: int = NARROWEST


# Characters; what is longer is no name, and would be as wide.
_LONGEST_CELL = 2_000


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout: aligned, without frames, and whole when it is piped. A column without
    anything in it is left out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    used = [place for place, _ in enumerate(columns) if any(row[place] for row in rows)]
    if not used:
        advise("there is nothing to list")
        return
    columns = [columns[place] for place in used]
    cells = [[safe(row[place][:_LONGEST_CELL]) for place in used] for row in rows]
    kept, widths = _fit(columns, _widths(columns, cells), out.width)
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, GAP - 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for place in kept:
        column = columns[place]
        title = Text(column.title)
        title.truncate(widths[place], overflow="ellipsis")
        table.add_column(title, justify=column.align, style=column.style, no_wrap=True)
    for row in cells:
        for place in kept:
            row[place].truncate(widths[place], overflow="ellipsis")
        table.add_row(*(row[place] for place in kept))
    if out.is_terminal:
        out.print(table)
    else:
        with out.capture() as captured:
            out.print(table)
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    if len(kept) < len(columns):
        hidden = [each.title for at, each in enumerate(columns) if at not in kept and each.title]
        tell(f"no room for {', '.join(hidden)}: a wider terminal or --json has them")


def print_in_parts(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, repeated: int
) -> None:
    """A table of which nothing is left out: columns that there is no room for stand in a table
    below, again beside the first, `repeated` ones."""
    out = console()
    widths = _widths(columns, [[safe(cell[:_LONGEST_CELL]) for cell in row] for row in rows])
    parts: list[list[int]] = [[*range(repeated)]]
    for place in range(repeated, len(columns)):
        least = [_least(columns[at], widths[at], out.width) for at in (*parts[-1], place)]
        if sum(least) + GAP * (len(least) - 1) > out.width and len(parts[-1]) > repeated:
            parts.append([*range(repeated)])
        parts[-1].append(place)
    for number, part in enumerate(parts):
        if number:
            out.print()
        shown = [replace(columns[at], order=0) for at in part]
        print_table(shown, [[row[at] for at in part] for row in rows])


def _least(column: Column, width: int, room: int) -> int:
    """How narrow a column may become before others are left out."""
    if not column.shrink:
        return width
    return min(width, max(min(column.least, room // 3), NARROWEST))


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> list[int]:
    """How wide each column wants to be."""
    from rich.cells import cell_len

    return [
        max(cell_len(column.title), *(cell.cell_len for cell in cells))
        for column, cells in zip(columns, zip(*rows, strict=True), strict=True)
    ]


def _fit(
    columns: Sequence[Column], widths: Sequence[int], room: int
) -> tuple[list[int], dict[int, int]]:
    """The places of the columns that there is room for, and their widths: the widest of those that
    may shrink give way first, until all fit."""
    fitted = dict(enumerate(widths))

    def least(place: int) -> int:
        return _least(columns[place], widths[place], room)

    def wanted(places: Sequence[int], width: Callable[[int], int]) -> int:
        return sum(map(width, places)) + GAP * (len(places) - 1)

    orders = [at if column.order is None else column.order for at, column in enumerate(columns)]
    kept: list[int] = []
    for order in sorted({*orders}):
        more = [at for at, own in enumerate(orders) if own == order or at in kept]
        if not order or wanted(more, least) <= room:
            kept = more
    shrinking = [place for place in kept if columns[place].shrink]
    while shrinking and wanted(kept, fitted.__getitem__) > room:
        widest = max(shrinking, key=lambda place: fitted[place])
        if fitted[widest] <= NARROWEST:
            break
        fitted[widest] -= 1
    return kept, fitted


def print_fields(fields: Mapping[str, Any]) -> None:
    """One thing on stdout: a line for each of its fields, longer texts below their names."""
    from rich.text import Text

    from arena.core.text import lines

    out = console()
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        shown = _words(value)
        if "\n" in shown:
            out.print(Text(name, "bold"))
            for line in lines(shown):
                print_line(Text("  ").append_text(safe(line)), out)
        else:
            print_line(Text(name.ljust(width + 2), "bold").append_text(safe(shown)), out)


def _words(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, default=_plain)


def money(dollars: float | None) -> str:
    """Dollars with as many digits as say something."""
    if dollars is None:
        return "-"
    return f"${dollars:.2f}" if dollars >= 1 or dollars == 0 else f"${dollars:.4f}"


def percent(share: float) -> str:
    """`0 %`, `<0.1 %`, `2.1 %`, `34 %` of a share from 0 to 1."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    digits = 1 if 0 < share < 0.0995 else 0
    return f"{100 * share:.{digits}f} %"


def moment(time: datetime | None) -> str:
    """A time in the reader's own zone, to the second."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else "-"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 10 s`, `2 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str) -> str:
    """`1 game`, `1,200 games`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
