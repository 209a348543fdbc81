"""Finds plug-ins by entry point; a name that is not there gets the nearest that is.

Every plug-in is one entry-point line in some package's metadata, ours included: the groups are
`arena.` followed by one of `Group`. A plug-in is imported when its name is asked for, never before,
so that a broken one stops only those who name it; whatever it raises becomes a PluginError that
says which plug-in, of which package, raised what.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal

# Help lists the commands by this module: what a name is needed for is imported when it is.
if TYPE_CHECKING:
    from arena.config import TournamentConfig
    from arena.core import (
        PluginError,
        UsageError,
    )

_SCRIPTED = "scripted/"
_ANY = "*"  # at the end of a registered name: every name that begins like it, where none is it

Group = Literal[
    "agents",
    "commands",
    "covariates",
    "environments",
    "executors",
    "matchmakers",
    "pages",
    "providers",
    "ratings",
    "readers",
    "scripted",
    "tools",
]

_NOUNS: dict[Group, str] = {
    "agents": "kind",
    "commands": "command",
    "covariates": "covariate",
    "environments": "environment",
    "executors": "executor",
    "matchmakers": "matchmaker",
    "pages": "part of a page",
    "providers": "provider",
    "ratings": "rating system",
    "readers": "reader",
    "scripted": "scripted model",
    "tools": "tool",
}

# What an object made by a plug-in must have, by group: the names of its protocol.
_MADE: dict[Group, tuple[str, ...]] = {
    "covariates": ("expected", "scored"),
    "environments": ("spec", "reset", "observe", "prepare", "step", "outcome"),
    "executors": ("run",),
    "matchmakers": ("lag", "next"),
    "providers": ("load", "check", "prepare", "aclose"),
    "ratings": ("name", "fit"),
    "readers": ("version", "asks", "read"),
    "tools": ("version", "repeatable", "functions", "call"),
}


def names(group: Group) -> list[str]:
    """The names registered in a group, sorted, without those that stand for any (`scenario-*`)."""
    return sorted(each for each in _points(group, tuple(sys.path)) if not each.endswith(_ANY))


def has(group: Group, name: str) -> bool:
    """Whether some package registers this name, or one that stands for it; imports nothing."""
    return bool(_found(group, name))


def check(group: Group, name: str) -> None:
    """Raises UsageError for a name that `load` would not find; imports nothing."""
    _point(group, name)


def check_names(config: TournamentConfig) -> None:
    """Raises ConfigError, with the place in the file, for a name that no package registers; imports
    no plug-in, so that a misspelled name is told before anything that takes seconds."""
    with config.at("environment"):
        check("environments", config.environment.name)
    for index, agent in enumerate(config.everybody):
        with config.at(*config.place_of(index)):
            check("agents", agent.kind)
    for index, model in enumerate(config.models):
        with config.at("models", index):
            check_model(model.litellm_model, model.provider or config.llm.provider)
    with config.at("executor"):
        check("executors", config.executor)
    with config.at("rating"):
        check("ratings", config.rating)
    with config.at("matchmaker"):
        check("matchmakers", config.matchmaker.name)


def check_model(litellm_model: str, provider: str = "litellm") -> None:
    """Raises UsageError for a provider that is not registered, and for a scripted model that is
    not; imports nothing."""
    check("providers", provider)
    if provider == "litellm" and litellm_model.startswith(_SCRIPTED):
        check("scripted", litellm_model.removeprefix(_SCRIPTED))


def registered(group: Group, name: str) -> str:
    """The name as it is registered, where it may be written as Python writes it: round_robin.
    Raises UsageError for a name that `load` would not find; imports nothing."""
    return _point(group, name).name


def load(group: Group, name: str) -> Any:
    """The object behind a name.

    Raises UsageError when no package registers the name (with the nearest one that is) or two
    packages register it for different objects; PluginError when it cannot be imported or is not
    what its group promises.
    """
    point = _point(group, name)
    with _guarded(group, point, "it was imported"):
        plugin = point.load()
    if not callable(plugin):
        raise _broken(f"{_described(group, point)} is {plugin!r}: expected something to call")
    if group in ("agents", "tools") and not _is_version(getattr(plugin, "version", None)):
        raise _broken(
            f"{_described(group, point)} has the `version` {getattr(plugin, 'version', None)!r}: "
            "expected a whole number from 1"
        )
    return plugin


def make(group: Group, name: str, /, **arguments: Any) -> Any:
    """What the factory of a name makes of these arguments.

    Raises UsageError for arguments that its signature does not have, or that it refuses itself;
    PluginError for whatever else it raises, and for an object without the names of its protocol.
    """
    from arena.core.plugins import check_arguments

    factory, point = load(group, name), _point(group, name)
    check_arguments(_described(group, point), factory, arguments)
    with _guarded(group, point):
        made = factory(**arguments)
        missing = [each for each in _MADE.get(group, ()) if not hasattr(made, each)]
    if missing:
        raise _broken(
            f"{_described(group, point)} made {type(made).__name__}, which has no "
            f"{' and no '.join(f'`{each}`' for each in missing)}"
        )
    return made


def guarded(group: Group, name: str, doing: str = "") -> AbstractContextManager[None]:
    """Inside, whatever the plug-in of this name raises becomes a PluginError that names it and its
    package (`arena.core.plugins.guarded`)."""
    return _guarded(group, _point(group, name), doing)


def described(group: Group, name: str) -> str:
    """A plug-in for messages: its noun, its name, its package and where it is in it."""
    return _described(group, _point(group, name))


def _point(group: Group, name: str) -> EntryPoint:
    found = _found(group, name)
    if not found:
        raise refused(unknown(_NOUNS[group], name, names(group)))
    if len({point.value for point in found}) > 1:
        registered = " and ".join(sorted(f"{_package(point)} ({point.value})" for point in found))
        raise refused(
            f"the {_NOUNS[group]} {name!r} is registered more than once, by {registered}: "
            "uninstall one of them"
        )
    return found[0]


def _found(group: Group, name: str) -> Sequence[EntryPoint]:
    points = _points(group, tuple(sys.path))
    found: Sequence[EntryPoint] = points.get(name, ())
    if not found and group not in ("environments", "pages"):
        # A name may be written as Python writes it: round_robin.
        found = points.get(name.replace("_", "-"), ())
    return found or next((points[each] for each in points if _stands_for(each, name)), ())


def _stands_for(registered: str, name: str) -> bool:
    beginning = registered.removesuffix(_ANY)
    return beginning != registered and name.startswith(beginning) and name != beginning


@cache
def _points(group: Group, path: tuple[str, ...]) -> Mapping[str, Sequence[EntryPoint]]:
    # The metadata of every package on the path is read for it: 30 ms each time.
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=f"arena.{group}"):
        found.setdefault(point.name, []).append(point)
    return found


@contextmanager
def _guarded(group: Group, point: EntryPoint, doing: str = "") -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        from arena.core.plugins import failed

        advice = f"update {_package(point)}, or do without this {_NOUNS[group]}"
        found = failed(error, _described(group, point), doing, advice)
        if found is error:
            raise
        raise found from error


def refused(message: str) -> UsageError:
    from arena.core import UsageError

    return UsageError(message)


def _broken(message: str) -> PluginError:
    from arena.core import PluginError

    return PluginError(message)


def _described(group: Group, point: EntryPoint) -> str:
    return f"the {_NOUNS[group]} {point.name!r} of {_package(point)} ({point.value})"


def _package(point: EntryPoint) -> str:
    return _called(point.dist) if point.dist else "an unknown package"


@cache
def _called(package: Distribution) -> str:
    # Its metadata are read and taken apart for it, twice.
    return f"{package.name} {package.version}"


def _is_version(version: object) -> bool:
    return isinstance(version, int) and not isinstance(version, bool) and version >= 1


def unknown(noun: str, name: str, known: list[str]) -> str:
    """A sentence for a name that is not there: what was found, what is near, what there is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"unknown {noun} {name!r}; did you mean {near[0]!r}?"
    if not known:
        return f"unknown {noun} {name!r}; none is registered"
    listed = ", ".join(known) if len(known) <= 12 else f"{', '.join(known[:12])}, ..."
    return f"unknown {noun} {name!r}; known: {listed}"
