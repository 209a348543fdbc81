"""What an entry of the trail says: which values were changed, from what to what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arena.core.text import one_line
from db.queries.audit import AuditRow

LONGEST_VALUE = 60
"""Characters of a value, where no other number is asked for."""


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """A value by its path (`config.games`), as text; None where there was, or is, none."""

    path: str
    before: str | None
    after: str | None

    @property
    def said(self) -> str:
        """`games: 6 → 8`; of one that came or went, what it is or was."""
        if self.before is None or self.after is None:
            return f"{self.path}: {self.after if self.before is None else self.before}"
        return f"{self.path}: {self.before} → {self.after}"


def changed_values(row: AuditRow, longest: int = LONGEST_VALUE) -> list[ChangedValue]:
    """The values that an entry changed, the name first and the others by their paths; of one that
    has both states only those that differ, however deep they lie. Values are one line each."""
    before, after = _flat(row.before), _flat(row.after)
    both = row.before is not None and row.after is not None
    return [
        ChangedValue(path, _text(before, path, both, longest), _text(after, path, both, longest))
        for path in sorted({**before, **after}, key=lambda path: (path != "name", path))
        if not both or before.get(path) != after.get(path)
    ]


def said(row: AuditRow, longest: int = LONGEST_VALUE) -> str:
    """What an entry changed, in one line, with the reason behind it."""
    values = "; ".join(value.said for value in changed_values(row, longest))
    return " · ".join(part for part in (values, one_line(row.reason or "", longest * 4)) if part)


def _text(state: Mapping[str, Any], path: str, both: bool, longest: int) -> str | None:
    if path not in state and not both:
        return None
    value = state.get(path)
    if value is None:
        return "none" if both else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return one_line(text, longest)


def _flat(state: Any, path: str = "") -> dict[str, Any]:
    return dict(_leaves(state or {}, path))


def _leaves(state: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value that is no mapping, by its path."""
    if not isinstance(state, Mapping) or (path and not state):
        yield path, state
        return
    for name, value in state.items():
        yield from _leaves(value, f"{path}.{name}" if path else str(name))
