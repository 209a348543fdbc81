"""The state of rules as flat paths and plain values, and what changed between two of them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

_MOST = 3_000  # values of one state
_DEEPEST = 6
_LONGEST = 80  # characters of a text that is told whole
_MOST_CHANGES = 40  # in one event


def flat(state: Mapping[Any, Any], without: Collection[str] = ()) -> dict[str, Any]:
    """The plain values of a state by path (`scores.0`), as JSON can hold them. A long text stands
    as its length and checksum; objects of the rules' own, whose looks nobody promises, are left
    out."""
    found: dict[str, Any] = {}
    for name, value in state.items():
        if name not in without:
            _flatten(str(name), value, found, 0)
    return found


def _flatten(path: str, value: Any, found: dict[str, Any], depth: int) -> None:
    if value is None or value is True or value is False or type(value) is int:
        found[path] = value
    elif isinstance(value, str):
        found[path] = plain_text(value)
    elif isinstance(value, float):
        found[path] = value if math.isfinite(value) else str(value)
    elif isinstance(value, Enum):
        found[path] = value.name
    elif len(found) >= _MOST or depth >= _DEEPEST:
        return
    elif isinstance(value, Mapping):
        for name, each in value.items():
            _flatten(f"{path}.{name}", each, found, depth + 1)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            _flatten(f"{path}.{index}", each, found, depth + 1)
    elif isinstance(value, set | frozenset):
        # In an order that does not hang on the hash seed.
        for index, each in enumerate(sorted(map(str, value))):
            found[f"{path}.{index}"] = plain_text(each)
    elif hasattr(value, "item") and hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        _flatten(path, value.item(), found, depth + 1)


def plain_text(text: str) -> str:
    """A text whole, or its length and checksum where it is long."""
    if len(text) <= _LONGEST:
        return text
    return f"{len(text)} characters, {zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    """The data of a `change` event; None where nothing changed."""
    if before == after:
        return None
    paths = {
        path: [before.get(path), value]
        for path, value in after.items()
        if path not in before or not _same(before[path], value)
    }
    paths.update((path, [value, None]) for path, value in before.items() if path not in after)
    if not paths:
        return None
    if len(paths) <= _MOST_CHANGES:
        return {"paths": paths}
    kept = dict(list(paths.items())[:_MOST_CHANGES])
    return {"paths": kept, "more": len(paths) - _MOST_CHANGES}


def _same(one: Any, other: Any) -> bool:
    return bool(one == other and type(one) is type(other))
