"""What the catalogue's commands share: finding a row by its name, and saying what was not found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from db.models.columns import Table

Row = TypeVar("Row")

All = Annotated[bool, typer.Option("--all", help="Also what is not active.")]
TextFile = Annotated[
    str | None, typer.Option("--file", help="The file with the text; - reads standard input.")
]
TextOption = Annotated[str | None, typer.Option("--text", help="The text itself.")]


def find(noun: str, name: str, get: Callable[[str], Row | None], names: Iterable[str]) -> Row:
    """The row of a name. Raises UsageError with the nearest name that there is."""
    row = get(name)
    if row is not None:
        return row
    from arena.core import UsageError
    from arena.registry import unknown

    known = sorted(names)
    if not known:
        raise UsageError(f"unknown {noun} {name!r}; the catalogue has no {noun}s yet")
    raise UsageError(unknown(noun, name, known))


def refuse_taken(noun: str, name: str, row: object | None) -> None:
    """Raises UsageError when the catalogue has a row of this name already."""
    if row is not None:
        from arena.core import UsageError

        raise UsageError(f"the catalogue has a {noun} {name!r} already; choose another name")


def columns(row: Table) -> dict[str, Any]:
    """A row's columns and values, in the order of its table."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def read_text(file: str | None, text: str | None) -> str:
    """The text of `--file` or `--text`. Raises UsageError unless there is exactly one."""
    from arena.core import UsageError

    if (file is None) == (text is None):
        raise UsageError("give the text with either --file FILE (- for standard input) or --text")
    if text is not None:
        return text
    assert file is not None
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        found = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text; save the file as UTF-8") from None
    if not found.strip():
        raise UsageError(f"{file}: the text is empty")
    return found


def state(active: bool) -> str:
    """What a table says about a row that may be switched off."""
    return "" if active else "inactive"
