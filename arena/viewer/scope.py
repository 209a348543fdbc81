"""The games that a page is about: what its address asks, and links that ask something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MOST = 40
"""Links that a menu holds; what it leaves out is named by the lists that it leads to."""

_SINCE = ((1, "the last day"), (7, "the last 7 days"), (30, "the last 30 days"))


@dataclass(frozen=True, slots=True)
class Chip:
    """A link that asks the same page another question: `asked` is its query."""

    text: str
    asked: Mapping[str, str]
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """Chips of which one holds: `shown` is its text, `chosen` whether it narrows anything, `more`
    how many there are beside these."""

    label: str
    shown: str
    chips: tuple[Chip, ...]
    chosen: bool = False
    more: int = 0


def chip(
    asked: Mapping[str, str], text: str, drop: Iterable[str] = (), **change: str | None
) -> Chip:
    """The question with some of it changed, None being left out, and what does not go with that
    dropped."""
    gone = {*drop, *change}
    kept = {name: value for name, value in asked.items() if name not in gone}
    new = {name: value for name, value in change.items() if value is not None}
    chosen = all(asked.get(name) == value for name, value in change.items())
    return Chip(text, kept | new, chosen)


def menu(
    asked: Mapping[str, str],
    name: str,
    label: str,
    options: Sequence[tuple[str | None, str]],
    drop: Iterable[str] = (),
) -> Menu:
    """A menu of the values of one part of the question, each with its text; None leaves it out."""
    given = asked.get(name)
    drop = [*drop]
    known = dict(options)
    shown = [*options[:_MOST]]
    if given is not None and given not in dict(shown):
        shown.append((given, known.get(given, given)))
    return Menu(
        label,
        known.get(given, given or ""),
        tuple(chip(asked, text, drop, **{name: value}) for value, text in shown),
        chosen=given is not None,
        more=max(len(options) - _MOST, 0),
    )


def since(asked: Mapping[str, str], now: datetime | None = None) -> Menu:
    """A menu of days from which on games have finished."""
    today = (now or datetime.now(UTC)).date()
    options: list[tuple[str | None, str]] = [(None, "any time")]
    options += [((today - timedelta(days=days)).isoformat(), text) for days, text in _SINCE]
    return menu(asked, "since", "Since", options)
