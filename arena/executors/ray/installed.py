"""What is installed here to play with, and what of it another machine lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import distributions, version

_ARENA = "llm-arena"
_GROUPS = "arena."


@dataclass(frozen=True, slots=True)
class Installed:
    """The version of the arena, and the versions of the other packages that bring plug-ins, by
    name; `plugins` are theirs and its own, as (group, name)."""

    arena: str
    packages: dict[str, str] = field(default_factory=dict)
    plugins: frozenset[tuple[str, str]] = frozenset()


def installed() -> Installed:
    """What this process finds."""
    packages: dict[str, str] = {}
    plugins = set()
    for found in distributions():
        points = [point for point in found.entry_points if point.group.startswith(_GROUPS)]
        if points:
            packages.setdefault(found.metadata["Name"], found.version)
            plugins |= {(point.group, point.name) for point in points}
    packages.pop(_ARENA, None)
    return Installed(version(_ARENA), packages, frozenset(plugins))


def differences(wanted: Installed, found: Installed) -> str | None:
    """What is wrong with what was found, in a sentence; None where it can play what is wanted."""
    if found.arena != wanted.arena:
        return f"it has {_ARENA} {found.arena}, this machine has {wanted.arena}"
    for package, its in sorted(wanted.packages.items()):
        there = found.packages.get(package)
        if there is None:
            return f"the package {package} {its}, which brings plug-ins, is not installed there"
        if there != its:
            return f"it has {package} {there}, this machine has {its}"
    missing = sorted(wanted.plugins - found.plugins)
    if missing:
        group, name = missing[0]
        return f"the plug-in {name!r} ({group}) is not installed there"
    return None
