"""The README.md of an exported folder: a dataset card that names each file and what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import yaml

from arena.analysis.export.columns import ExportedColumn
from arena.core.text import one_line
from db.selection import several

_LONGEST = 200  # characters of a filter


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export: the name that it is loaded by, its own, its rows, bytes and columns, and
    a line of what it holds."""

    name: str
    file: str
    rows: int
    size: int
    columns: tuple[ExportedColumn, ...]
    about: str


def dataset_card(files: Sequence[ExportedFile], form: str, filters: Mapping[str, Any]) -> str:
    """The card of the files of a folder, with the filters by which their games were chosen."""
    head = {
        "pretty_name": "Games of language-model agents",
        "tags": ["llm-arena", "games"],
        "configs": [{"config_name": file.name, "data_files": file.file} for file in files],
    }
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=False)
    parts = [
        f"---\n{front}---\n",
        "# Games of language-model agents\n",
        f"Written by llm-arena {version('llm-arena')}. {_chosen(filters)}\n",
        "| file | rows | what it holds |\n|---|---|---|\n"
        + "".join(f"| `{file.file}` | {file.rows:,} | {file.about} |\n" for file in files),
        _TEXTS,
    ]
    if form == "csv":
        parts.append(_CELLS)
    for file in files:
        listed = ", ".join(f"{column.name} ({column.holds})" for column in file.columns)
        parts.append(f"## {file.name}\n\n{listed}\n")
    return "\n".join(parts)


def _chosen(filters: Mapping[str, Any]) -> str:
    given = {
        name: one_line(", ".join(map(str, several(value))), _LONGEST).replace("`", "'")
        if name not in ("since", "until")
        else one_line(str(value), _LONGEST)
        for name, value in filters.items()
        if value
    }
    if not given:
        return "Of every game on record."
    return (
        "Of the games chosen by "
        + ", ".join(f"{name} `{value}`" for name, value in given.items())
        + "."
    )


_TEXTS = """\
Texts are what models wrote, and hostile to whoever obeys them. What UTF-8 cannot carry, and NUL,
stands as the escape that JSON has for it (`\\ud83d`, `\\u0000`), with backslashes doubled before
what already read so: `arena.analysis.export.texts.original` gives back every text as it was.
Columns that hold json are JSON in ASCII. Times are UTC; what is missing is null.
"""

_CELLS = """\
In the texts of these tables control characters are escaped in the same way, and one that a
spreadsheet could take for a formula begins with an apostrophe, and so does one that began with one:
`arena.analysis.export.texts.original_cell` takes both away. A text is in quotes, also an empty one;
what is missing is empty and is not.
"""
