"""Checks the options of a kind of agent; what it does not know is refused with the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from arena.core import UsageError


def refuse_unknown(kind: str, options: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises UsageError for an option that is not in `known`."""
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"the kind {kind!r} has no option {name!r}; {hint}"
                f"known: {', '.join(sorted(known)) or 'none'}"
            )


def choice(kind: str, options: Mapping[str, Any], name: str, choices: Collection[str]) -> str:
    """The option's value, the first of `choices` by default. Raises UsageError for another."""
    value = options.get(name, next(iter(choices)))
    if value not in choices:
        raise UsageError(
            f"the option {name!r} of the kind {kind!r} is {value!r}; "
            f"expected one of: {', '.join(choices)}"
        )
    return str(value)


def count(kind: str, options: Mapping[str, Any], name: str, default: int, *, least: int) -> int:
    """The option's value, a whole number of at least `least`. Raises UsageError for another."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(
            f"the option {name!r} of the kind {kind!r} is {value!r}; "
            f"expected a whole number of at least {least}"
        )
    return value
