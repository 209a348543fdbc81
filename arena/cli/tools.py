"""`arena tools`: what agents may call in their turns."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    LIMIT,
    AsJson,
    DatabaseUrl,
    LimitOption,
)
from arena.cli.output import Column, advise, moment, print_json, print_line, print_table, tell
from arena.cli.selecting import OF_CALLS, selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.selection import Selection

_SAID = 200  # characters of a text in a table

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


@app.command()
@selecting(*OF_CALLS)
def calls(
    failed: Annotated[
        list[str] | None,
        typer.Option(
            "--failed", metavar="ERROR", help="Only those that failed: timeout, ..., or any."
        ),
    ] = None,
    *,
    selection: Selection,
    before: Annotated[
        int | None,
        typer.Option("--before", min=1, metavar="CALL", help="Only calls older than this one."),
    ] = None,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List calls of tools, the latest first.

    Each with its arguments, what the tool said, its time and its error. `arena show GAME --calls`
    shows them in their turns."""
    from arena.reports.calls import tool_report
    from db.queries.tool_calls import called_tools

    with reading(db) as session:
        found = called_tools(session, selection, failed=failed or (), limit=limit, before=before)
    if as_json:
        print_json(
            {
                "calls": [
                    {key: value for key, value in asdict(row).items() if key != "call"}
                    | asdict(row.call)
                    for row in found.rows
                ],
                "older": found.older,
            }
        )
        return
    print_table(
        [
            Column("game", "right", order=0),
            Column("turn", "right", order=0),
            Column("agent", shrink=True, order=1),
            Column("tool", order=3),
            Column("call", shrink=True, order=0),
            Column("what it said", shrink=True, order=1),
            Column("error", order=0),
            Column("ms", "right", order=2),
            Column("called", order=4),
        ],
        [
            [
                str(row.game_id),
                str(row.turn_number),
                row.agent or "",
                row.call.tool,
                tool_report(row.call).made[:_SAID],
                "no result on record"
                if row.call.result is None
                else row.call.result.replace("\n", " ")[:_SAID],
                row.call.error or "",
                "" if row.call.took_ms is None else f"{row.call.took_ms:,.0f}",
                moment(row.call.called_at),
            ]
            for row in found.rows
        ],
    )
    if not found.rows:
        tell("no call of a tool fits")
    if found.older is not None:
        tell(f"there are more: --before {found.older} shows older ones")


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
