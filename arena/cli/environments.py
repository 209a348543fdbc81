"""`arena environments`: the rules that can be played here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from arena.cli.options import AsJson
from arena.cli.output import Column, advise, console, print_json, print_line, print_table, safe
from arena.cli.scenario_summary import print_scenario

if TYPE_CHECKING:
    from arena.core import EnvironmentSpec, RulesOption
    from arena.scenarios.summary import ScenarioSummary

T = TypeVar("T")

app = typer.Typer(
    name="environments", help="Environments: the rules that can be played.", no_args_is_help=True
)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the environments that can be played."""
    from arena import registry
    from arena.core import ArenaError

    found, broken = [], []
    for name in registry.names("environments"):
        try:
            found.append(registry.make("environments", name, name=name).spec)
        except ArenaError as error:
            # A stranger's package must not hide the others.
            broken.append(str(error))
    if as_json:
        keys = ("name", "min_players", "max_players", "package", "description", "twin")
        print_json({"environments": [_fields(spec, keys) for spec in found]})
    else:
        columns = [
            Column("environment"),
            Column("players", "right"),
            Column("from"),
            Column("faults", "right"),
            Column("what it is", shrink=True),
        ]
        print_table(
            columns,
            [
                [
                    spec.name,
                    _span(spec.min_players, spec.max_players),
                    f"{spec.package} {spec.version}",
                    str(len(spec.faults) or ""),
                    spec.description,
                ]
                for spec in found
            ],
        )
    for message in broken:
        advise(message)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="As `arena environments list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show an environment and its known faults.

    With its players, roles and options, and the twin in which faults are mended, if there is one.
    Of a scenario also its personas, scenes, values and scores, private and hidden ones marked.
    """
    from arena import registry

    spec = _spec(name)
    failed: list[str] = []
    options = _known(failed, lambda: registry.environment_options(name))
    roles = {
        players: _known(failed, partial(_roles, name, players)) or {}
        for players in sorted({spec.min_players, spec.max_players})
    }
    scenario = _known(failed, partial(_scenario, name))
    twin = spec.twin and _known(failed, partial(_spec, spec.twin))
    if as_json:
        _print_json(spec, options, roles, scenario)
    else:
        _print(spec, options, roles, twin.faults if twin else spec.faults)
        if scenario is not None:
            console().print("")
            print_scenario(scenario)
    for message in dict.fromkeys(failed):
        advise(message)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A scenario file (.yaml).")],
    as_json: AsJson = False,
) -> None:
    """Check a scenario file.

    Says what it would play, or everything that is wrong with it, each with its line. Exit code 2
    for a file that is refused.
    """
    from arena.scenarios.reading import load
    from arena.scenarios.summary import summary_of

    summary = summary_of(load(file))
    if as_json:
        print_json(asdict(summary))
    else:
        print_scenario(summary)


def _spec(name: str) -> EnvironmentSpec:
    from arena import registry

    spec: EnvironmentSpec = registry.make("environments", name, name=name).spec
    return spec


def _scenario(name: str) -> ScenarioSummary | None:
    """What a scenario says, None for other rules."""
    from arena import registry

    made = registry.make("environments", name, name=name)
    if made.spec.package != "scenario":
        return None
    from arena.scenarios.reading import Scenario
    from arena.scenarios.summary import summary_of

    found = getattr(made, "scenario", None)
    return summary_of(found) if isinstance(found, Scenario) else None


def _known(failed: list[str], ask: Callable[[], T]) -> T | None:
    """What a plug-in answers, or None, and why it does not among the `failed`."""
    from arena.core import ArenaError

    try:
        return ask()
    except ArenaError as error:
        failed.append(str(error))
        return None


def _roles(name: str, players: int) -> dict[str, int]:
    """How many of each role so many players have, as they are dealt in a game."""
    from arena import registry

    environment = registry.make("environments", name, name=name)
    with registry.guarded("environments", name):
        environment.reset(seed=0, num_players=players)
        dealt = environment.outcome(turn_limit=True).players
    return dict(sorted(Counter(each.role for each in dealt if each.role is not None).items()))


def _fields(spec: EnvironmentSpec, keys: Sequence[str]) -> dict[str, Any]:
    return {key: getattr(spec, key) for key in keys} | {"package_version": spec.version}


def _print_json(
    spec: EnvironmentSpec,
    options: Sequence[RulesOption] | None,
    roles: Mapping[int, Mapping[str, int]],
    scenario: ScenarioSummary | None,
) -> None:
    keys = ("name", "min_players", "max_players", "package", "revision", "description",
            "max_characters", "faults", "twin", "tells")  # fmt: skip
    print_json(
        {
            **_fields(spec, keys),
            "roles": {str(players): found for players, found in roles.items()},
            "options": None if options is None else [asdict(option) for option in options],
            "scenario": None if scenario is None else asdict(scenario),
        }
    )


def _print(
    spec: EnvironmentSpec,
    options: Sequence[RulesOption] | None,
    roles: Mapping[int, Mapping[str, int]],
    faults_of_twin: Sequence[str],
) -> None:
    longest = "any length" if spec.max_characters is None else f"{spec.max_characters:,} characters"
    # Of the two, the mended one has fewer.
    mended = set(spec.faults) - set(faults_of_twin) if spec.twin else set()
    lines = [
        ("players", _span(spec.min_players, spec.max_players)),
        *((f"roles of {players}", _counted(found)) for players, found in roles.items() if found),
        ("rules", f"{spec.package} {spec.version}, put to players in revision {spec.revision}"),
        ("actions", f"read whole up to {longest}"),
    ]
    if spec.tells:
        lines.append(("tells", f"every player its {', '.join(spec.tells)}"))
    if spec.twin is not None:
        lines.append(("mended twin" if mended else "twin of", spec.twin))
    width = max(len(key) for key, _ in lines)
    out = console()
    for text in (f"{spec.name}: {spec.description}", *(f"{key:{width}}  {v}" for key, v in lines)):
        print_line(safe(text), out)
    if options is not None:
        out.print("" if options else "\nno options")
        shown = [(o.name, o.type, "required" if o.required else repr(o.default)) for o in options]
        if shown:
            print_table([Column("option"), Column("type"), Column("default")], shown)
    out.print("\nknown faults" if spec.faults else "\nno known faults")
    for fault in spec.faults:
        where = " (mended in the twin)" if fault in mended else ""
        print_line(safe(f"- {fault}{where}"), out)


def _counted(roles: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {role}" for role, number in roles.items())


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
