"""`arena db stats`, `vacuum`, `analyze` and `reindex`: how large a database is, and its upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import Column, advise, count, print_json, print_line, print_table, safe, tell
from arena.cli.sessions import existing

if TYPE_CHECKING:
    from db.maintenance.sizes import DatabaseSizes
    from db.maintenance.upkeep import UpkeepWork


def stats(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show sizes, and what a vacuum would free.

    By table and index, with rows and the bytes of a turn; what is archived in files; on a server
    the slowest queries, where it reports them."""
    from dataclasses import asdict

    from db.maintenance.sizes import sizes
    from db.urls import shown

    with existing(db) as database:
        found = sizes(database)
        place = shown(database.url)
    if as_json:
        print_json({"database": place, **asdict(found)})
    else:
        _show(place, found)
    for note in found.notes:
        advise(note)


def vacuum(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Give unused room back to the disk.

    It rewrites the tables, and keeps everybody out meanwhile: refused while somebody plays. SQLite
    needs as much free room as the file is large, beside it and where temporary files are."""
    _keep_up("vacuum", db, as_json=as_json)


def analyze(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Count anew what queries are planned by.

    Worth it after much was imported, copied or pruned. A server does it by itself now and then, and
    lets others go on meanwhile."""
    _keep_up("analyze", db, as_json=as_json)


def reindex(db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Make all indexes again.

    For those that `arena db verify` finds damaged, or that no longer fit the collation of a new
    system. Refused while somebody plays."""
    _keep_up("reindex", db, as_json=as_json)


def _keep_up(work: UpkeepWork, db: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from db.maintenance.upkeep import keep_up
    from db.urls import shown

    with existing(db) as database:
        done = keep_up(database, work)
        place = shown(database.url)
    if as_json:
        print_json({"database": place, **asdict(done)})
        return
    freed = f", {done.freed:,} bytes freed" if done.freed else ""
    print_line(safe(f"{place}: {work} took {done.seconds:.1f} s; {done.after:,} bytes{freed}"))


def _show(place: str, found: DatabaseSizes) -> None:
    print_table(
        [
            Column("table", shrink=True),
            Column("rows", "right"),
            Column("bytes", "right"),
            Column("indexes", "right"),
            Column("free", "right"),
        ],
        [
            [
                table.name,
                f"{'~' if table.estimated else ''}{table.rows:,}",
                _bytes(table.bytes),
                _bytes(table.index_bytes),
                _bytes(table.free),
            ]
            for table in found.tables
            if table.rows or table.free
        ],
    )
    indexes = sorted(
        (index for table in found.tables for index in table.indexes), key=lambda each: -each.bytes
    )
    if indexes:
        largest = [f"{each.name} {each.bytes:,}" for each in indexes[:3]]
        tell(f"largest indexes: {', '.join(largest)}")
    each_turn = "" if found.turn_bytes is None else f", {found.turn_bytes:,.0f} a turn"
    print_line(
        safe(f"{place}: {found.bytes:,} bytes{each_turn}; a vacuum frees about {found.free:,}")
    )
    if found.archived:
        print_line(
            safe(
                f"archived: {count(found.archived, 'game')}, {found.archived_bytes:,} bytes of "
                f"text in files of {found.file_bytes:,}"
            )
        )
    if found.slow:
        print_table(
            [
                Column("slowest queries", shrink=True),
                Column("calls", "right"),
                Column("mean ms", "right"),
                Column("total ms", "right"),
            ],
            [
                [
                    each.query[:200],
                    f"{each.calls:,}",
                    f"{each.mean_ms:.2f}",
                    f"{each.total_ms:,.0f}",
                ]
                for each in found.slow
            ],
        )


def _bytes(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
