"""Makes what the registry finds, each group by its own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from arena.registry.finding import guarded, load, make, refused, registered

# Help lists the commands by this package: what a name is needed for is imported when it is.
if TYPE_CHECKING:
    from arena.core import (
        AgentKind,
        Environment,
        OnlineRatingSystem,
        Policy,
        RatingSystem,
        RulesOption,
    )
    from arena.core.covariates import Covariate
    from arena.core.execution import Executor
    from arena.core.readers import Reader
    from arena.core.tools import ToolEntry, ToolLimits
    from arena.llm.providers.protocol import Provider, ProviderSettings
    from arena.llm.toolbox import Toolbox


def environment(name: str, options: Mapping[str, Any]) -> Callable[[], Environment]:
    """Makes fresh environments of one name and options.

    Raises UsageError for a name that is not registered and for options that it does not know,
    PluginError for rules that cannot be made.
    """
    if "name" in options:
        raise refused(f"the environment {name!r} has no option 'name': it is the environment's")
    make("environments", name, name=name, **options)
    factory = load("environments", name)

    def fresh() -> Environment:
        with guarded("environments", name):
            return cast("Environment", factory(name=name, **options))

    return fresh


def copied_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an environment with what its files say in their place, where its factory has
    `copied` (`arena.core.CopiesFiles`); else as they are. Raises UsageError."""
    factory = load("environments", name)
    if not hasattr(factory, "copied"):
        return dict(options)
    with guarded("environments", name, "it was asked to copy its files"):
        return dict(factory.copied(name=name, options=options))


def environment_options(
    name: str, options: Mapping[str, Any] | None = None
) -> Sequence[RulesOption]:
    """What options an environment takes: as it tells, or else as its factory takes them; asked of
    one that is made with these `options`.

    Raises UsageError for a name that is not registered, PluginError for an environment that cannot
    be made or asked.
    """
    made = make("environments", name, name=name, **(options or {}))
    with guarded("environments", name, "it was asked for its options"):
        if hasattr(made, "options"):
            return [*made.options()]
        from arena.core import options_of

        return options_of(load("environments", name))


def check_environment_options(name: str, options: Mapping[str, Any]) -> None:
    """Raises UsageError for options of an environment that are not of its types, or out of all
    bounds (`arena.core.rules_options`)."""
    from arena.core.rules_options import check_values

    if options:
        check_values(name, environment_options(name, options), options)


def kind(name: str, version: int | None = None) -> AgentKind:
    """The kind of agent registered under a name, as it is now or as it was in an earlier version.
    Raises UsageError for a version that is not installed."""
    found = cast("AgentKind", load("agents", name))
    if version is None or version == found.version:
        return found
    earlier: Mapping[int, AgentKind] = getattr(found, "earlier", {})
    if version in earlier:
        return earlier[version]
    also = f", which can play as {', '.join(map(str, sorted(earlier)))} too" if earlier else ""
    raise refused(
        f"what is wanted is {name} version {version}, installed is version {found.version}{also}"
    )


def check_kind(name: str, options: Mapping[str, Any]) -> AgentKind:
    """The kind registered under a name, once it has made an agent with these options. Raises
    UsageError for options that it does not know."""
    found = kind(name)
    with guarded("agents", name):
        found(prompt="", options=options)
    return found


def executor(name: str, concurrency: int, options: Mapping[str, Any] | None = None) -> Executor:
    """An executor with `concurrency` slots, made with these `options`. Raises UsageError for a name
    that is not registered, PluginError for one that cannot be made."""
    return cast("Executor", make("executors", name, concurrency=concurrency, **(options or {})))


def rating(name: str) -> RatingSystem:
    """A rating system, ready to rate."""
    return cast("RatingSystem", make("ratings", name))


def covariate(name: str) -> Covariate:
    """A covariate, ready to be asked about games."""
    return cast("Covariate", make("covariates", name))


def reader(name: str) -> Reader:
    """A reader of speeches, ready to read."""
    return cast("Reader", make("readers", name))


def online_rating(name: str) -> tuple[str, OnlineRatingSystem]:
    """A rating system that can rate game by game, and the name under which it is registered.

    Raises UsageError for one that only rates whole sets of games.
    """
    from arena.core import OnlineRatingSystem

    system = rating(name)
    with guarded("ratings", name):
        online = isinstance(system, OnlineRatingSystem)
    if not online:
        raise refused(
            f"{name} rates whole sets of games; what a tournament stores is rated game by game, by "
            "a system with `initial` and `rate`, like trueskill: every other one rates the same "
            f"games whenever you ask: `arena leaderboard --system {name}`"
        )
    return registered("ratings", name), cast(OnlineRatingSystem, system)


def provider(name: str, settings: ProviderSettings) -> Provider:
    """A provider, ready to prepare models."""
    return cast("Provider", make("providers", name, settings=settings))


def toolbox(entries: Sequence[ToolEntry], limits: ToolLimits) -> Toolbox:
    """The tools of an agent, as they are on record. Raises UsageError for one that is not
    installed, for options that it refuses, and where two offer the same function."""
    from arena.llm.toolbox import Toolbox

    made = [(name, _tool(name, options)) for each in entries for name, options in each.items()]
    return Toolbox(made, limits)


def pinned_tools(entries: Sequence[ToolEntry]) -> tuple[ToolEntry, ...]:
    """The tools of an agent as they go on record: with their versions, and with what they find out
    of themselves (`arena.core.tools.PinsOptions`). Raises UsageError as `toolbox` does."""
    from arena.core.tools import ToolLimits

    found = []
    for each in entries:
        for name, options in each.items():
            factory = load("tools", name)
            if hasattr(factory, "pinned"):
                with guarded("tools", name, "it was asked what it offers"):
                    options = {**options, **factory.pinned(_without_version(options))}
            found.append({registered("tools", name): {"version": factory.version, **options}})
    toolbox(found, ToolLimits())
    return tuple(found)


def _tool(name: str, options: Mapping[str, Any]) -> Any:
    made = make("tools", name, **_without_version(options))
    wanted = options.get("version", made.version)
    if wanted != made.version:
        raise refused(
            f"the agent is made with version {wanted} of the tool {name!r}, installed is version "
            f"{made.version}, which makes another agent"
        )
    return made


def _without_version(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "version"}


def policy(name: str) -> Policy:
    """What answers as `scripted/<name>`."""
    return cast("Policy", load("scripted", name))
