"""Checks the options of the arena's own tools."""

from __future__ import annotations

from arena.core import UsageError


def whole(tool: str, name: str, value: object, least: int, most: int) -> int:
    """The value, a whole number within these bounds. Raises UsageError for another."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(
            f"the option {name!r} of the tool {tool!r} is {value!r:.60}; expected a whole number "
            f"from {least} to {most}"
        )
    return value
