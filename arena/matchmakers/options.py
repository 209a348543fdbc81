"""The options of a matchmaker as they stand in a tournament file: read, checked, explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from arena.core import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """What an option may be: `expected` says in words what `accepts` checks."""

    default: Any
    expected: str
    accepts: Callable[[Any], bool]


def switch(default: bool | None) -> Option:
    """True or false."""
    return Option(default, "true or false", lambda value: isinstance(value, bool))


def one_of(*names: str) -> Option:
    """One of some names, the first unless said otherwise."""
    return Option(names[0], " or ".join(names), lambda value: value in names)


def at_least(least: int, default: int) -> Option:
    """A whole number."""
    return Option(
        default,
        f"a whole number of at least {least}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
    )


SHARED: Mapping[str, Option] = {
    "blocks": switch(None),
    "repeat": switch(False),
    "seating": one_of("rotate", "clones", "opposite"),
}


def read(given: Mapping[str, Any], matchmaker: str, own: Mapping[str, Option]) -> dict[str, Any]:
    """Every option's value: those that all matchmakers share, and a matchmaker's `own`.

    Raises UsageError for an option that is not known, with the nearest that is, and for a value
    that it cannot have.
    """
    known = {**SHARED, **own}
    for name, value in given.items():
        if name not in known:
            near = get_close_matches(str(name), list(known), n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"expected {', '.join(known)}"
            raise UsageError(f"matchmaker {matchmaker} has no option `{name}`: {hint}")
        if not known[name].accepts(value):
            raise UsageError(
                f"matchmaker {matchmaker}: `{name}` is {value!r}, expected {known[name].expected}"
            )
    return {name: given.get(name, option.default) for name, option in known.items()}
