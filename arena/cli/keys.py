"""`arena keys`: which keys may go to hosts that they do not belong to."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from arena.cli.options import AsJson
from arena.cli.output import Column, print_json, print_table, tell

app = typer.Typer(help="Keys: to which hosts each may be sent.", no_args_is_help=True)

Variable = Annotated[
    str,
    typer.Argument(metavar="VARIABLE", help="The environment variable or the file that holds it."),
]
Place = Annotated[
    str,
    typer.Argument(
        metavar="HOST",
        help="A host, with a port for that one only; or a provider, as LiteLLM calls it.",
    ),
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List what was allowed."""
    from arena.llm.key_places import allowed

    pairs = allowed()
    if as_json:
        print_json({"keys": [{"variable": pair.variable, "host": pair.place} for pair in pairs]})
    else:
        columns = [Column("variable"), Column("may be sent to")]
        print_table(columns, [[pair.variable, pair.place] for pair in pairs])


@app.command()
def add(
    variable: Variable,
    host: Place,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Allow a key to be sent to a host.

    A key goes to its own provider without being asked for. Everything else is asked for once, for
    this user and all databases: a tournament file may be a stranger's."""
    from arena.core import UsageError
    from arena.llm.key_places import Pair, place_of
    from arena.llm.key_places import allow as remember

    named = variable.isascii() and variable.isidentifier()
    if not named and not (variable.startswith("/") and variable.isprintable()):
        raise UsageError(
            "expected the name of an environment variable, or the whole path of a file, found "
            f"{_named(variable)}"
        )
    pair = Pair(variable, place_of(host))
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody can be asked here: add --yes")
        typer.confirm(f"Send what {variable} holds to {pair.place}?", abort=True, err=True)
    remember(pair)
    tell(f"{variable} may be sent to {pair.place}")


@app.command()
def delete(variable: Variable, host: Place) -> None:
    """Take back what was allowed."""
    from arena.core import UsageError
    from arena.llm.key_places import Pair, place_of
    from arena.llm.key_places import forget as take_back

    pair = Pair(variable, place_of(host))
    if not take_back(pair):
        raise UsageError(f"{variable} was not allowed to be sent to {pair.place}")
    tell(f"{variable} may not be sent to {pair.place} any more")


def _named(text: str) -> str:
    """What was typed in the place of a variable's name, unless it is the key itself."""
    return repr(text) if len(text) < 12 else "something else"
