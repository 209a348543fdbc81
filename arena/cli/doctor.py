"""`arena doctor`: whether this machine, this database and these keys are ready to play."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import Column, complain, count, print_json, print_table


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="A tournament's file (YAML): its models, their keys and hosts too.",
            show_default=False,
        ),
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Also connect to the host of every model.")
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """See whether everything is ready to play.

    The database and its tables, disk, memory and open files, clocks, plug-ins, extras and keys, of
    which only is said where they are. Nothing is changed, and nothing is sent without --online.
    Exit code 1 when something is wrong."""
    from dataclasses import asdict

    from arena.doctor import examine

    found = [*examine(db or None, config, online=online)]
    wrong = sum(each.state == "wrong" for each in found)
    if as_json:
        print_json({"ready": not wrong, "diagnoses": [asdict(each) for each in found]})
    else:
        columns = [Column("of"), Column("state")]
        columns += [Column(title, shrink=True) for title in ("found", "to do")]
        print_table(
            columns, [[each.subject, each.state, each.found, each.advice] for each in found]
        )
    if wrong:
        complain(f"{count(wrong, 'thing')} would keep a tournament from being played")
        raise typer.Exit(1)
