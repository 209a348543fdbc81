"""`arena db roles`: SQL for roles of a PostgreSQL database that may do no more than they need."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import print_json, tell


def roles(
    owner: Annotated[
        str, typer.Option("--owner", metavar="ROLE", help="Who makes and changes the tables.")
    ] = "arena_owner",
    writer: Annotated[
        str, typer.Option("--writer", metavar="ROLE", help="Who runs tournaments.")
    ] = "arena_writer",
    reader: Annotated[
        str, typer.Option("--reader", metavar="ROLE", help="Who looks at pages and in notebooks.")
    ] = "arena_reader",
    schema: Annotated[
        str, typer.Option("--schema", metavar="NAME", help="The schema of the tables.")
    ] = "public",
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print SQL for roles of a PostgreSQL database.

    An owner by whom `arena db upgrade` is run, a writer for `arena run`, a reader for `arena view`
    and notebooks, each with no more than it needs. Nothing is run: an administrator of the server
    does, again after an upgrade from before, and gives the roles passwords. Tables that are there
    have to be of this release."""
    from arena.core import UsageError
    from db.maintenance.roles import Roles, check_tables, role_statements
    from db.urls import resolve_url, shown

    url = resolve_url(db or None)
    if url.drivername == "sqlite":
        raise UsageError(
            f"{shown(url)} is a file, which has no roles: its mode says who may read and write it "
            "(chmod); give the URL of a PostgreSQL database with --db"
        )
    name = url.database or url.query.get("dbname")
    if not isinstance(name, str):
        raise UsageError(f"{shown(url)} names no database: expected postgresql://USER@HOST/NAME")
    found = role_statements(name, schema, Roles(owner, writer, reader))
    unseen = check_tables(url, schema)
    if unseen is not None:
        tell(f"tables that are there have to be of this release; they were not seen: {unseen}")
    if as_json:
        print_json({"database": shown(url), "statements": found})
        return
    typer.echo("".join(f"{statement};\n" for statement in found), nl=False)
    tell(
        f"to run it: arena db roles --db URL | psql ADMINISTRATOR_URL, then \\password {owner}, "
        f"{writer} and {reader} in psql"
    )
