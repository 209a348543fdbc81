"""`arena kinds`: the ways of thinking, installed and in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.catalogue import All, columns, find, refuse_taken, state
from arena.cli.database import reading, writing
from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import Column, advise, print_fields, print_json, print_table, tell

if TYPE_CHECKING:
    from db import Kind, Repository

app = typer.Typer(name="kinds", help="Kinds: the ways agents think.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The kind's name.")]


@app.command("list")
def list_(everything: All = False, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the kinds.

    Those of the catalogue, and those that the installed packages bring."""
    from db import Repository
    from db.errors import MissingDatabase

    try:
        with reading(db) as session:
            stored = [*Repository(session).get_kinds()]
    except MissingDatabase:
        # What is installed can be listed before anything was played.
        stored = []
    rows = [
        {"name": kind.name, "version": kind.version, "active": kind.active, "in_catalogue": True}
        for kind in stored
        if everything or kind.active
    ]
    known = {(kind.name, kind.version) for kind in stored}
    installed = _installed()
    rows += [
        {"name": name, "version": version, "active": True, "in_catalogue": False}
        for name, version in sorted(installed.items())
        if (name, version) not in known
    ]
    for row in rows:
        row["installed"] = installed.get(str(row["name"])) == row["version"]
    if as_json:
        print_json(rows)
        return
    print_table(
        [Column("kind"), Column("version", "right"), Column("installed"), Column("catalogue")],
        [
            [
                str(row["name"]),
                str(row["version"]),
                "yes" if row["installed"] else "no",
                (state(bool(row["active"])) or "active") if row["in_catalogue"] else "not yet",
            ]
            for row in rows
        ],
    )


@app.command()
def show(name: Name, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show one kind, in its latest version."""
    from db import Repository

    with reading(db) as session:
        kind = _find(Repository(session), name)
        fields: dict[str, Any] = columns(kind)
    fields["installed"] = _installed().get(name) == kind.version
    print_json(fields) if as_json else print_fields(fields)


@app.command()
def add(name: Name, db: DatabaseUrl = None) -> None:
    """Add an installed kind to the catalogue.

    In the version that is installed."""
    from arena import registry
    from db import Repository

    kind = registry.kind(name)
    with writing(db) as session:
        repository = Repository(session)
        refuse_taken("kind", name, repository.get_kind_by_name(name, version=kind.version))
        repository.create_kind(name=name, version=kind.version)
    tell(f"added the kind {name}, version {kind.version}")


@app.command()
def activate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer a kind again."""
    _switch(name, db, active=True)


@app.command()
def deactivate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer a kind no longer.

    What was played with it stays."""
    _switch(name, db, active=False)


def _switch(name: str, db: str | None, *, active: bool) -> None:
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        kind = _find(repository, name)
        assert kind.id is not None
        repository.set_kind_active(kind.id, active)
    tell(f"the kind {name} is {'active' if active else 'inactive'}")


def _find(repository: Repository, name: str) -> Kind:
    return find(
        "kind",
        name,
        repository.get_kind_by_name,
        (kind.name for kind in repository.get_kinds()),
    )


def _installed() -> dict[str, int]:
    """The installed kinds and their versions; one that cannot be loaded is reported."""
    from arena import registry
    from arena.core import UsageError

    found: dict[str, int] = {}
    for name in registry.names("agents"):
        try:
            found[name] = registry.kind(name).version
        except UsageError as error:
            advise(str(error))
    return found
