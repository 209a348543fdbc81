"""`arena db`: makes the tables of a database, brings them up to date, and checks them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli import database_copies, upkeep
from arena.cli.database_roles import roles
from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import (
    Column,
    complain,
    count,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)
from arena.cli.prune import prune

if TYPE_CHECKING:
    from db import Database

app = typer.Typer(help="The database: make it, upgrade it, check it.", no_args_is_help=True)
app.command()(database_copies.backup)
app.command()(database_copies.restore)
app.command()(database_copies.copy)
app.command()(roles)
app.command()(prune)
for _command in (upkeep.stats, upkeep.vacuum, upkeep.analyze, upkeep.reindex):
    app.command()(_command)

Rehearse = Annotated[
    bool,
    typer.Option("--rehearse", help="Do it to a copy, say what came of it, and throw it away."),
]
NoBackup = Annotated[
    bool,
    typer.Option(
        "--no-backup",
        help="Make no copy first. On PostgreSQL the copy is yours to make, by `arena db backup`.",
    ),
]


@app.command()
def upgrade(
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="Up to which revision.")
    ] = "head",
    rehearse: Rehearse = False,
    no_backup: NoBackup = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make the tables, or bring them up to date.

    Refused while a tournament is run. A file that holds rows is copied first, to one beside it."""
    from db import Database

    with Database(db or None) as database:
        if rehearse:
            _rehearse(database, revision, as_json=as_json)
        else:
            _migrate(database, revision, backup=not no_backup, as_json=as_json)


@app.command()
def downgrade(
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="A revision, or `base` to drop all tables.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before tables or columns are dropped.")
    ] = False,
    rehearse: Rehearse = False,
    no_backup: NoBackup = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take the tables back to an earlier revision.

    What they hold beyond it is lost. Refused while a tournament is run. A file that holds rows is
    copied first, to one beside it."""
    from db import Database
    from db.urls import shown

    with Database(db or None) as database:
        if rehearse:
            _rehearse(database, revision, down=True, as_json=as_json)
            return
        if not yes:
            place = shown(database.url)
            typer.confirm(f"Drop what {place} holds beyond {revision}?", abort=True, err=True)
        _migrate(database, revision, down=True, backup=not no_backup, as_json=as_json)


def _migrate(
    database: Database, revision: str, *, down: bool = False, backup: bool, as_json: bool
) -> None:
    from dataclasses import asdict

    from db.maintenance.migrate import migrate
    from db.urls import shown

    done = migrate(database, revision, down=down, backup=backup)
    place = shown(database.url)
    if done.backup is not None:
        tell(f"the tables of before are in {done.backup}")
    if as_json:
        print_json({"database": place, **asdict(done)})
    else:
        _say(f"{place}: revision {done.after or 'base'}")


def _rehearse(database: Database, revision: str, *, down: bool = False, as_json: bool) -> None:
    from dataclasses import asdict

    from db.maintenance.migrate import rehearse
    from db.urls import shown

    done = rehearse(database, revision, down=down)
    place = shown(database.url)
    if as_json:
        print_json({"database": place, **asdict(done)})
    else:
        _say(
            f"a copy of {place} went from revision {done.before} to {done.after or 'base'} in "
            f"{done.seconds:.2f} s; {place} is as it was"
        )
        print_table(
            [Column("table"), Column("rows before", "right"), Column("after", "right")],
            [
                [name, *("none" if rows is None else f"{rows:,}" for rows in both)]
                for name, both in done.rows.items()
            ],
        )
        for line in done.differences:
            _say(line)
    if done.differences:
        complain(f"the copy differs from revision {done.after} in {len(done.differences)} places")
        raise typer.Exit(1)


@app.command()
def seed(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Add what comes with the arena.

    Kinds of event and of agents, scripted models, prompts and templates. What is there already
    stays as it is, also where it differs from what would be added."""
    from dataclasses import asdict

    from arena.cli.sessions import writing
    from arena.templates.seed import seed as add_starters

    with writing(db) as session:
        rows = add_starters(session)
    news = [row for row in rows if row.state != "unchanged"]
    if as_json:
        print_json({"rows": [asdict(row) for row in rows]})
    elif news:
        print_table(
            [Column("of"), Column("name", shrink=True), Column("")],
            [[row.noun, row.name, row.state] for row in news],
        )
    states = [row.state for row in rows]
    tell(
        f"{states.count('added')} added, {states.count('unchanged')} unchanged, "
        f"{states.count('differs')} there otherwise, which stay"
    )


@app.command()
def forget(
    before: Annotated[
        str, typer.Option("--before", metavar="DATE", help="Entries from before then: 2026-01-31.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove old entries of the trail.

    Nothing else removes one. That it was done, by whom and how many went, is an entry itself."""
    from arena.cli.catalogue import confirm_deletion
    from arena.cli.sessions import existing
    from db.maintenance.forgetting import forget as forget_entries
    from db.maintenance.forgetting import old_entries
    from db.selection import moment
    from db.urls import shown

    time = moment(before)
    assert time is not None
    with existing(db) as database:
        with database.session(create=False) as session:
            there = old_entries(session, time)
        if there:
            what = f"entries of the trail from before {before}"
            confirm_deletion(what, _entries(there), yes=yes)
            with database.session(create=False) as session:
                there = forget_entries(session, time).entries
        place = shown(database.url)
    if as_json:
        print_json({"database": place, "before": time, "entries": there})
    tell(f"removed {_entries(there)} of the trail of {place}")


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


@app.command()
def current(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Print the revision of the tables."""
    from db import Database, schema
    from db.urls import shown

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
    from db.urls import shown

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


@app.command()
def revision(
    message: Annotated[
        str,
        typer.Argument(
            metavar="MESSAGE", help='What changes, in a short sentence: "Games get a colour".'
        ),
    ],
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the next migration, in a checkout.

    For developers. It takes the tables of the database, which are those of the newest revision, to
    what db/models/ says. The database stays as it is: read the migration, then `arena db
    upgrade`."""
    from dataclasses import asdict

    from db import Database
    from db.maintenance.revision import write_revision
    from db.urls import shown

    with Database(db or None) as database:
        written = write_revision(database, message)
        place = shown(database.url)
    if as_json:
        print_json({"database": place, **asdict(written)})
        return
    for line in written.differences:
        _say(line)
    _say(f"written: {written.file}")
    tell(
        f"HEAD in db/schema.py is {written.revision} now; read the migration, then type "
        "`arena db upgrade` and `python -m db.drawn > docs/schema.md`"
    )


@app.command()
def verify(
    backup: Annotated[
        Path | None,
        typer.Argument(metavar="BACKUP", help="A backup; else the database of --db."),
    ] = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read everything, and list what is damaged.

    Every page, row and text: each text against its checksum, each request, prompt and tournament
    against its hash, the tables against those of this release. A backup is compared with its
    manifest; that of a file is restored, read, and thrown away. Exit code 1 when something is
    damaged."""
    from dataclasses import asdict

    from arena.llm.request_hash import request_hash
    from db import Database
    from db.maintenance.verify import verify as read_all
    from db.maintenance.verify import verify_backup
    from db.urls import shown

    if backup is not None:
        found = verify_backup(backup, request_hash)
        place = str(backup)
    else:
        with Database(db or None) as database:
            found = read_all(database, request_hash)
            place = shown(database.url)
    if as_json:
        print_json({"database": place, **asdict(found)})
    else:
        for line in found.damage:
            _say(line)
        print_table(
            [Column("checked"), Column("damaged", "right")],
            [[name, f"{damaged:,}"] for name, damaged in found.parts.items()],
        )
        read = f"{count(found.games, 'game')}, {count(found.turns, 'turn')} and "
        read += f"{count(found.calls, 'call')} read"
        if found.unread is not None:
            read = f"of revision {found.revision}, compared with its manifest; {found.unread}"
        _say(
            f"{place}: {read}; "
            + ("not everything is as it was written" if found.damage else "nothing is damaged")
        )
    if found.damage:
        complain(f"{place} is damaged in {count(len(found.damage), 'place')}")
        raise typer.Exit(1)


def _say(line: str) -> None:
    print_line(safe(line))
