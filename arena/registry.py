"""Finds plugins by entry point; a name that is not there gets the nearest that is.

Every plugin is one entry-point line in some package's metadata, ours included: the groups are
`arena.environments`, `arena.agents`, `arena.matchmakers`, `arena.ratings`, `arena.executors` and
`arena.scripted`. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Literal, cast

from arena.core import (
    AgentKind,
    Environment,
    MatchmakerFactory,
    Policy,
    RatingSystem,
    UsageError,
)
from arena.core.execution import ExecutorFactory

Group = Literal["environments", "agents", "matchmakers", "ratings", "executors", "scripted"]

_NOUNS: dict[Group, str] = {
    "environments": "environment",
    "agents": "kind",
    "matchmakers": "matchmaker",
    "ratings": "rating system",
    "executors": "executor",
    "scripted": "scripted model",
}


def names(group: Group) -> list[str]:
    """The names registered in a group, sorted."""
    return sorted(_points(group, tuple(sys.path)).names)


def load(group: Group, name: str) -> Any:
    """The object behind a name.

    Raises UsageError when no package registers the name (with the nearest one that is), when two
    packages register it, or when the package that registers it cannot be imported.
    """
    points = _points(group, tuple(sys.path))
    # A name may be written as Python writes it: round_robin.
    found = [*points.select(name=name)] or [*points.select(name=name.replace("_", "-"))]
    if not found:
        raise UsageError(unknown(_NOUNS[group], name, names(group)))
    if len({point.value for point in found}) > 1:
        packages = ", ".join(sorted(point.value for point in found))
        raise UsageError(
            f"the {_NOUNS[group]} {name!r} is registered more than once: {packages}; "
            "uninstall or rename one of them"
        )
    return _import(group, found[0])


@cache
def _points(group: Group, path: tuple[str, ...]) -> EntryPoints:
    # The metadata of every package on the path is read for it: 30 ms each time.
    return entry_points(group=f"arena.{group}")


def _import(group: Group, point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the {_NOUNS[group]} {point.name!r} is registered as {point.value!r}, "
            f"which cannot be loaded: {error}"
        ) from error


def unknown(noun: str, name: str, known: list[str]) -> str:
    """A sentence for a name that is not there: what was found, what is near, what there is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"unknown {noun} {name!r}; did you mean {near[0]!r}?"
    if not known:
        return f"unknown {noun} {name!r}; none is registered"
    listed = ", ".join(known) if len(known) <= 12 else f"{', '.join(known[:12])}, ..."
    return f"unknown {noun} {name!r}; known: {listed}"


def environment(name: str, options: Mapping[str, Any]) -> Callable[[], Environment]:
    """Makes fresh environments of one name and options; the look-up is done once.

    Raises UsageError for a name that is not registered and for options that it does not know.
    """
    factory = load("environments", name)

    def make() -> Environment:
        try:
            return cast(Environment, factory(name=name, **options))
        except TypeError as error:
            raise UsageError(
                f"the environment {name!r} does not take the options {dict(options)!r}: {error}"
            ) from error

    make()
    return make


def kind(name: str) -> AgentKind:
    """The kind of agent registered under a name."""
    return cast(AgentKind, load("agents", name))


def matchmaker(name: str) -> MatchmakerFactory:
    """The matchmaker registered under a name."""
    return cast(MatchmakerFactory, load("matchmakers", name))


def executor(name: str) -> ExecutorFactory:
    """The executor registered under a name."""
    return cast(ExecutorFactory, load("executors", name))


def rating(name: str) -> RatingSystem:
    """A rating system, ready to rate."""
    return cast(RatingSystem, load("ratings", name)())


def policies() -> dict[str, Policy]:
    """Every scripted model: what answers as `scripted/<name>`."""
    return {
        point.name: cast(Policy, point.load()) for point in entry_points(group="arena.scripted")
    }
