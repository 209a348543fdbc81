"""`arena db`: makes the tables of a database, brings them up to date, and checks them."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import complain, console, print_json, safe

app = typer.Typer(help="The database: make it, upgrade it, check it.", no_args_is_help=True)


@app.command()
def upgrade(
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="Up to which revision.")
    ] = "head",
    db: DatabaseUrl = None,
) -> None:
    """Make the tables, or bring them up to date."""
    from db import Database, schema
    from db.engine import shown

    with Database(db or None) as database:
        engine = database.engine
        schema.upgrade(engine, revision)
        _say(f"{shown(engine.url)}: revision {schema.current(engine)}")


@app.command()
def downgrade(
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="A revision, or `base` to drop all tables.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before tables or columns are dropped.")
    ] = False,
    db: DatabaseUrl = None,
) -> None:
    """Take the tables back to an earlier revision.

    What they hold beyond it is lost."""
    from db import Database, schema
    from db.engine import shown

    with Database(db or None) as database:
        engine = database.engine
        place = shown(engine.url)
        if not yes:
            typer.confirm(f"Drop what {place} holds beyond {revision}?", abort=True, err=True)
        schema.downgrade(engine, revision)
        _say(f"{place}: revision {schema.current(engine) or 'base'}")


@app.command()
def current(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Print the revision of the tables."""
    from db import Database, schema
    from db.engine import shown

    with Database(db or None) as database:
        engine = database.engine
        found = schema.current(engine)
        place = shown(engine.url)
    if as_json:
        print_json({"database": place, "revision": found, "head": schema.HEAD})
    elif found is None:
        _say(f"{place}: no tables; `arena db upgrade` makes them")
    else:
        state = "up to date" if found == schema.HEAD else f"this release needs {schema.HEAD}"
        _say(f"{place}: revision {found}, {state}")


@app.command()
def check(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Compare the tables with what is expected.

    Exit code 1 when they differ from those of this release."""
    from db import Database, schema
    from db.engine import shown

    with Database(db or None) as database:
        engine = database.engine
        schema.check_schema(engine, create=False)
        found = schema.differences(engine)
        place = shown(engine.url)
    if as_json:
        print_json({"database": place, "revision": schema.HEAD, "differences": found})
    elif not found:
        _say(f"{place}: the tables are those of revision {schema.HEAD}")
    else:
        for line in found:
            _say(line)
    if found:
        complain(f"{place} differs from revision {schema.HEAD} in {len(found)} places")
        raise typer.Exit(1)


def _say(line: str) -> None:
    console().print(safe(line), soft_wrap=True)
