"""Overrides of a tournament file: what `--set games=50` says, put in the place of what is written.

A key is dotted, as errors print it: `environment.players`, `agents.0.model`; an entry of a list may
also be named, as in `models.sharp.params.temperature`. A value is YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from arena.config import document
from arena.config.errors import KeyPath, WrittenAt, found, nearest
from arena.core import ConfigError
from arena.core.text import one_line

_PART = re.compile(r"[.\[\]]+")


def overridden(
    data: Any, lines: Mapping[KeyPath, WrittenAt], settings: Sequence[str]
) -> tuple[Any, dict[KeyPath, WrittenAt]]:
    """The data of a file with the `KEY=VALUE` of every setting in it, and where each value comes
    from: the line of the file, or the `--set` with its key. A later setting replaces an earlier
    one. Raises ConfigError for a setting that cannot be read, or that leads nowhere."""
    places = dict(lines)
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError(f"--set expects KEY=VALUE, as in games=50; found {found(setting)}")
        place = f"--set {one_line(key, 60)}"
        if not text.strip() or text.lstrip().startswith("#"):
            raise ConfigError(f"{place}: expected a value behind '='; null takes a value away")
        value = document.read(text, place).data
        data, path = _put(data, [part for part in _PART.split(key) if part], value, place)
        places = {known: at for known, at in places.items() if known[: len(path)] != path}
        for end in range(1, len(path) + 1):
            places.setdefault(path[:end], place)
    return data, places


def _put(data: Any, parts: Sequence[str], value: Any, place: str) -> tuple[Any, KeyPath]:
    """A copy of the data with the value at the end of the parts, and the path that they are."""
    if not parts:
        return value, ()
    part, *rest = parts
    if isinstance(data, list | tuple):
        index = _index(data, part, place)
        inner, path = _put(data[index], rest, value, place)
        return [*data[:index], inner, *data[index + 1 :]], (index, *path)
    if data is not None and not isinstance(data, Mapping):
        raise ConfigError(f"{place}: what {part!r} would be in is {found(data)}, which has no keys")
    known = data or {}
    inner, path = _put(known.get(part), rest, value, place)
    return {**known, part: inner}, (part, *path)


def _index(entries: Sequence[Any], part: str, place: str) -> int:
    if part.isdecimal() and int(part) < len(entries):
        return int(part)
    names = [entry.get("name") for entry in entries if isinstance(entry, Mapping)]
    named = [index for index, entry in enumerate(entries) if _name(entry) == part]
    if named:
        return named[0]
    hint = nearest(part, [name for name in names if isinstance(name, str)])
    raise ConfigError(
        f"{place}: no entry {one_line(part, 60)!r}; expected a name, or a number from 0 to "
        f"{len(entries) - 1}{hint}"
    )


def _name(entry: Any) -> Any:
    return entry.get("name") if isinstance(entry, Mapping) else None
