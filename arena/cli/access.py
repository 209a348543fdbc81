"""`arena access`: people with access, by name, with a role and a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arena.cli.options import AsJson, DatabaseUrl

if TYPE_CHECKING:
    from db.models import Person

app = typer.Typer(help="Access: who may do what in the pages.", no_args_is_help=True)

PersonName = Annotated[str, typer.Argument(metavar="NAME", help="The person.")]


@app.command()
def add(
    name: PersonName,
    role: Annotated[
        Literal["viewer", "annotator", "player", "operator"],
        typer.Option("--role", help="What the person may do; each includes those before it."),
    ],
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give a person access.

    Prints the token, once: only its hash is kept."""
    from arena.cli.output import print_json, tell
    from arena.cli.sessions import reading
    from db import Repository

    with reading(db) as session:
        row, token = Repository(session).add_person(name, role)
        shown = fields(row)
    if as_json:
        print_json({"person": shown, "token": token})
        return
    typer.echo(token)
    tell(f"{shown['name']} has access as {role}: the token is shown this once")


@app.command("list")
def list_(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the people who have or had access."""
    from arena.cli.output import Column, moment, print_json, print_table
    from arena.cli.sessions import reading
    from db import Repository

    with reading(db) as session:
        rows = [fields(row) for row in Repository(session).get_people()]
    if as_json:
        print_json({"people": rows})
        return
    print_table(
        [
            Column("name", shrink=True),
            Column("role"),
            Column("since"),
            Column("last used"),
            Column("revoked"),
        ],
        [[row["name"], row["role"], *(moment(row[at])[:16] for at in _TIMES)] for row in rows],
    )


@app.command()
def revoke(name: PersonName, db: DatabaseUrl = None) -> None:
    """Take a person's access away.

    At once, also from pages that are open. What the person did stays under the name."""
    from arena.cli.output import tell
    from arena.cli.sessions import reading
    from db import Repository

    with reading(db) as session:
        Repository(session).revoke_access(name)
    tell(f"{name} has no access any more")


_TIMES = ("created_at", "last_used_at", "revoked_at")


def fields(row: Person) -> dict[str, Any]:
    """A person as it is shown: without the hash of the token."""
    from db.models.columns import aware

    times = {name: getattr(row, name) for name in _TIMES}
    return {"name": row.name, "role": row.role} | {
        name: None if at is None else aware(at) for name, at in times.items()
    }
