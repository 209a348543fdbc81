"""`arena environments`: the rules that can be played here."""

from __future__ import annotations

import typer

from arena.cli.options import AsJson
from arena.cli.output import Column, advise, print_json, print_table

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
        keys = ("name", "min_players", "max_players", "package", "version", "description")
        print_json([{key: getattr(spec, key) for key in keys} for spec in found])
    else:
        columns = [
            Column("environment"),
            Column("players", "right"),
            Column("from"),
            Column("what it is", shrink=True),
        ]
        print_table(
            columns,
            [
                [
                    spec.name,
                    _span(spec.min_players, spec.max_players),
                    f"{spec.package} {spec.version}",
                    spec.description,
                ]
                for spec in found
            ],
        )
    for message in broken:
        advise(message)


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
