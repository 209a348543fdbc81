"""`arena kinds`: the ways of thinking, installed and in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from arena.cli.catalogue import (
    CatalogueNoun,
    Fields,
    NewName,
    add_commands,
    columns,
    refuse_taken,
    state,
)
from arena.cli.options import DatabaseUrl
from arena.cli.output import Column, advise, tell
from arena.cli.sessions import writing

app = typer.Typer(help="Kinds: the ways agents think.", no_args_is_help=True)


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


def _with_installed(rows: list[Fields], known: list[Fields]) -> list[Fields]:
    installed = _installed()
    there = {(row["name"], row["version"]) for row in known}
    return [
        *(
            row | {"in_catalogue": True, "installed": _is_installed(row, installed)}
            for row in rows
        ),
        *(
            {
                "name": name, "version": version, "active": True, "in_catalogue": False,
                "installed": True,
            }
            for name, version in sorted(installed.items())
            if (name, version) not in there
        ),
    ]  # fmt: skip


def _is_installed(row: Fields, installed: Mapping[str, int]) -> bool:
    return bool(installed.get(row["name"]) == row["version"])


def _catalogue(row: Fields) -> str:
    return (state(row) or "active") if row["in_catalogue"] else "not yet"


add_commands(
    app,
    CatalogueNoun(
        "kind",
        rows=lambda repository: [columns(row) for row in repository.get_kinds()],
        columns=[
            (Column("kind"), lambda row: row["name"]),
            (Column("version", "right"), lambda row: str(row["version"])),
            (Column("installed"), lambda row: "yes" if row["installed"] else "no"),
            (Column("catalogue"), _catalogue),
        ],
        switch=lambda repository, key, active: repository.set_kind_active(key, active),
        details=lambda _, row: row | {"installed": _is_installed(row, _installed())},
        installed=_with_installed,
    ),
)


@app.command()
def add(name: NewName, db: DatabaseUrl = None) -> None:
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
