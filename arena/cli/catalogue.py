"""What the nouns of the catalogue share: their rows are listed, shown and switched alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import Column, print_fields, print_json, print_table, tell
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.cli.profiles import ShownProfile
    from arena.orchestrator.edits import CatalogueEdit
    from db import Repository, Session
    from db.finding import Noun
    from db.models.columns import Table
    from db.queries.uses import UsedNoun

Fields = dict[str, Any]
"""A row as it is printed in JSON; among its keys are `id`, `name` and `active`."""

All = Annotated[bool, typer.Option("--all", help="Also what is not active.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="The name to add it under.")]
KnownName = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its number.")]
ForkName = Annotated[str, typer.Argument(metavar="NEW", help="The name of the fork.")]
TextFile = Annotated[
    str | None, typer.Option("--file", help="The file with the text; - reads standard input.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
TextOption = Annotated[str | None, typer.Option("--text", help="The text itself.")]


@dataclass(frozen=True, slots=True)
class CatalogueNoun:
    """What is different about a noun.

    `rows` are all of its rows; `columns` those of its table, each with the text of its cell.
    `switch` makes a row active or inactive by its number. `details` adds to a row that is shown
    alone, and `profile` says what it did in its games. `installed` makes what is listed of (the
    rows to be listed, all rows): what the catalogue does not have is listed too, also where there
    is no database.
    """

    noun: Noun
    rows: Callable[[Repository], list[Fields]]
    columns: Sequence[tuple[Column, Callable[[Fields], str]]]
    switch: Callable[[Repository, int, bool], object]
    details: Callable[[Session, Fields], Fields] | None = None
    profile: Callable[[Session, Fields], ShownProfile] | None = None
    installed: Callable[[list[Fields], list[Fields]], list[Fields]] | None = None


def add_commands(app: typer.Typer, of: CatalogueNoun) -> None:
    """Give a group of commands `list`, `show`, `activate`, `deactivate` and `delete`, and where
    names are given by people `rename`."""

    @app.command("list", help=f"List the {of.noun}s.")
    def list_(everything: All = False, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
        known = _rows(of, db)
        rows = [row for row in known if everything or row["active"]]
        if of.installed is not None:
            rows = of.installed(rows, known)
        if as_json:
            print_json({f"{of.noun}s": rows})
            return
        print_table(
            [column for column, _ in of.columns],
            [[cell(row) for _, cell in of.columns] for row in rows],
        )

    @app.command(help=f"Show one {of.noun}.")
    def show(name: KnownName, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
        with reading(db) as session:
            key = number_of(session, of.noun, name)
            (fields,) = (row for row in rows_of(of, session) if row["id"] == key)
            if of.details is not None:
                fields = of.details(session, fields)
            found = None if of.profile is None else of.profile(session, fields)
        if as_json:
            print_json({of.noun: fields if found is None else fields | {"profile": found.plain}})
            return
        print_fields(fields)
        if found is not None:
            found.show()

    @app.command(help=f"Offer {_a(of.noun)} again.")
    def activate(name: KnownName, db: DatabaseUrl = None) -> None:
        _switch(of, name, db, active=True)

    @app.command(help=f"Offer {_a(of.noun)} no longer.\n\nWhat was played with it stays.")
    def deactivate(name: KnownName, db: DatabaseUrl = None) -> None:
        _switch(of, name, db, active=False)

    @app.command(help=f"Delete {_a(of.noun)} that nothing uses.\n\nWhat uses it is listed.")
    def delete(name: KnownName, yes: Yes = False, db: DatabaseUrl = None) -> None:
        _delete(of, name, db, yes=yes)

    if of.noun == "kind":
        return

    @app.command(help=f"Rename {_a(of.noun)}.\n\nOne that no tournament knows by its name.")
    def rename(name: KnownName, new: NewName, db: DatabaseUrl = None) -> None:
        from arena.orchestrator import edits
        from db import Repository

        with reading(db) as session:
            repository = Repository(session)
            key = number_of(session, of.noun, name)
            refuse_taken(of.noun, new, known(repository, of.noun, new))
            edits.rename(repository, used(of.noun), key, new)
        tell(f"the {of.noun} {name} is called {new}")


def rows_of(of: CatalogueNoun, session: Session) -> list[Fields]:
    """All rows of a noun. A kind has the version of its code."""
    from db import Repository

    rows = of.rows(Repository(session))
    return rows if of.noun == "kind" else with_versions(rows)


def _rows(of: CatalogueNoun, db: str | None) -> list[Fields]:
    from db.errors import MissingDatabase

    try:
        with reading(db) as session:
            return rows_of(of, session)
    except MissingDatabase:
        if of.installed is None:
            raise
        return []


def _switch(of: CatalogueNoun, name: str, db: str | None, *, active: bool) -> None:
    from db import Repository

    with reading(db) as session:
        of.switch(Repository(session), number_of(session, of.noun, name), active)
    tell(f"the {of.noun} {name} is {'active' if active else 'inactive'}")


def _delete(of: CatalogueNoun, name: str, db: str | None, *, yes: bool) -> None:
    from arena.orchestrator.edits import deletable
    from db import Repository

    with reading(db) as session:
        key = number_of(session, of.noun, name)
        deletable(Repository(session), used(of.noun), key)
    confirm_deletion(f"the {of.noun} {name}", "nothing uses it", yes=yes)
    with reading(db) as session:
        repository = Repository(session)
        repository.lock_catalogue()
        deletable(repository, used(of.noun), key)
        {
            "model": repository.delete_model,
            "prompt": repository.delete_prompt,
            "kind": repository.delete_kind,
            "agent": repository.delete_agent,
        }[of.noun](key)
    tell(f"deleted the {of.noun} {name}")


def confirm_deletion(what: str, contents: str, *, yes: bool) -> None:
    """Say what goes along, and ask; raises UsageError where nobody can be asked."""
    from arena.core import UsageError

    tell(f"{what}: {contents}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: add --yes to delete it")
    typer.confirm(f"Delete {what}?", abort=True, err=True)


def told(edit: CatalogueEdit, noun: str, name: str, more: str = "") -> None:
    """Say what became of a change."""
    if edit.version:
        tell(f"{name} has played and stays as it is: added the {noun} {edit.label}{more}")
    else:
        tell(f"changed the {noun} {edit.label}")


def used(noun: Noun) -> UsedNoun:
    """A noun of the catalogue as what may be used."""
    return cast("UsedNoun", noun)


def with_versions(rows: list[Fields]) -> list[Fields]:
    """Rows with the number of the version that each is, and the names of all versions."""
    from db.versions import versioned

    names = sorted(versioned(row["name"]) for row in rows)
    labels: dict[str, list[str]] = {}
    for name in names:
        labels.setdefault(name.name, []).append(name.label)
    found = [(row, versioned(row["name"])) for row in rows]
    return [row | {"version": of.version, "versions": labels[of.name]} for row, of in found]


def known(repository: Repository, noun: Noun, name: str) -> object | None:
    """The row of exactly this name."""
    if noun == "model":
        return repository.get_model_by_name(name)
    if noun == "prompt":
        return repository.get_prompt_by_name(name)
    return repository.get_agent_by_alias(name)


def number_of(session: Session, noun: Noun, name: str) -> int:
    """The number of the row of a name: of a kind that of its latest version. Raises BadSelection
    with the nearest name."""
    from db.finding import find

    return find(session, noun, name)[-1]


def refuse_taken(noun: str, name: str, row: object | None) -> None:
    """Raises UsageError when the catalogue has a row of this name already."""
    if row is not None:
        from arena.core import UsageError

        raise UsageError(f"the catalogue has {_a(noun)} {name!r} already; choose another name")


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def columns(row: Table) -> Fields:
    """The columns of a table's row and their values, in the table's order."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def read_text(file: str | None, text: str | None) -> str:
    """The text of `--file` or `--text`. Raises UsageError unless there is exactly one."""
    from arena.core import UsageError

    if (file is None) == (text is None):
        raise UsageError("give the text with either --file FILE (- for standard input) or --text")
    if text is not None:
        return text
    assert file is not None
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        found = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text; save the file as UTF-8") from None
    if not found.strip():
        raise UsageError(f"{file}: the text is empty")
    return found


def state(row: Fields) -> str:
    """What a table says about a row that may be switched off."""
    return "" if row["active"] else "inactive"
