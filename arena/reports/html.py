"""Reports as HTML for notebooks: tables in which nothing that a model wrote is obeyed.

Every text is escaped, its control characters are made visible, it is set apart from the direction
of the text around it, and it is cut where it would drown the page. There is no script, no style
sheet and no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from arena.core.text import visible

_LONGEST = 2_000  # characters of a text


def told(text: Any, longest: int = _LONGEST) -> str:
    """A stranger's text inside of HTML."""
    whole = str(text)
    cut = whole[:longest]
    left = f" … {len(whole) - longest:,} more characters" if len(whole) > longest else ""
    return f"<bdi>{escape(visible(cut, keep=chr(10)))}{left}</bdi>"


def table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "", notes: Any = ()
) -> str:
    """A table; cells are texts of strangers, None is empty."""
    above = f"<caption>{told(caption)}</caption>" if caption else ""
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in rows
    )
    below = "".join(f"<p><small>{told(note)}</small></p>" for note in notes)
    return f"<table>{above}<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>{below}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    return told(value)
