"""`arena tools`: what agents may call in their turns."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from arena.cli.options import AsJson
from arena.cli.output import Column, advise, print_json, print_line, print_table

app = typer.Typer(help="Tools: what agents may call in their turns.", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the tools that are installed."""
    from arena import registry
    from arena.core import ArenaError

    found, broken = [], []
    for name in registry.names("tools"):
        try:
            found.append(_described(name))
        except ArenaError as error:
            broken.append(str(error))
    if as_json:
        keys = ("name", "tool_version", "functions", "about")
        print_json({"tools": [{key: each[key] for key in keys} for each in found]})
    else:
        columns = [
            Column("tool"),
            Column("version", "right"),
            Column("functions", shrink=True),
            Column("what it is", shrink=True),
        ]
        rows = [
            [each["name"], str(each["tool_version"]), ", ".join(each["functions"]), each["about"]]
            for each in found
        ]
        print_table(columns, rows)
    for message in broken:
        advise(message)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="As `arena tools list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show a tool and what it offers."""
    from arena import registry

    found = _described(registry.registered("tools", name))
    if as_json:
        print_json(found)
        return
    print_line(f"{found['name']}, version {found['tool_version']}: {found['about']}")
    for option in found["options"]:
        print_line(f"  {option['name']}: {option['default'] or 'must be said'}")
    if not found["functions"]:
        print_line("  its functions are found when a tournament is run, or an agent is added")
    for function in found["offered"]:
        told = ", ".join(function["parameters"].get("properties", {}))
        print_line(f"{function['name']}({told}): {function['description']}")


def _described(name: str) -> dict[str, Any]:
    """A tool as it is installed. One that must be told something has no functions to show."""
    from arena import registry
    from arena.core.text import one_line

    factory = registry.load("tools", name)
    taken = [
        each
        for each in inspect.signature(factory).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    required = any(each.default is inspect.Parameter.empty for each in taken)
    offered = [] if required else [*registry.make("tools", name).functions]
    about = inspect.getdoc(inspect.getmodule(factory)) or ""
    return {
        "name": name,
        "tool_version": factory.version,
        "functions": [function.name for function in offered],
        "about": one_line(about.partition(": ")[2].partition("\n\n")[0] or about, 200),
        "options": [
            {
                "name": each.name,
                "default": None if each.default is inspect.Parameter.empty else str(each.default),
            }
            for each in taken
        ],
        "offered": [
            {
                "name": function.name,
                "description": function.description,
                "parameters": dict(function.parameters),
            }
            for function in offered
        ],
    }
