"""Runs the migrations in one transaction, on the engine that `db.schema` hands over; for plain
`alembic`, on the database of ARENA_DATABASE_URL, else sqlite:///arena.db."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import context
from alembic.migration import MigrationContext
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

import db.models
from db import Database, DatabaseError
from db.engine import said_plainly
from db.leases import refuse_held
from db.maintenance.rendering import narrow, rendered
from db.models.columns import Table

assert db.models is not None


def run() -> None:
    engine: Engine | None = context.config.attributes.get("engine")
    if engine is not None:
        migrate(engine)
    else:
        migrate_by_hand()


def migrate_by_hand() -> None:
    if context.is_offline_mode():
        raise CommandError("--sql is not possible: a migration reads the tables that it changes")
    try:
        with Database() as database, said_plainly(database.url):
            file = Path(str(database.url.database))
            if database.url.drivername != "sqlite" or changes() or file.exists():
                migrate(database.engine)
            else:
                # What only looks makes no file.
                migrate(create_engine("sqlite://"))
    except DatabaseError as error:
        raise CommandError(str(error)) from error


def migrate(engine: Engine) -> None:
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if changes():
            if sqlite:
                # With foreign keys on, batch mode drops the old table and, by ON DELETE CASCADE,
                # silently every row that points to it. The pragma is ignored inside a transaction.
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                # A copy of a table takes its name, of which triggers of other tables speak.
                connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
                connection.commit()
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                # Two processes may open a new database at the same moment.
                connection.execute(text("SELECT pg_advisory_xact_lock(7305808869231650157)"))
            if MigrationContext.configure(connection).get_current_revision() != wanted():
                refuse_held(connection)
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            render_as_batch=True,
            transactional_ddl=True,
            compare_type=True,
            compare_server_default=True,
            autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
            process_revision_directives=numbered,
            render_item=rendered,
            on_version_apply=keeping_triggers(connection) if sqlite and changes() else None,
        )
        with context.begin_transaction():
            context.run_migrations()
        if sqlite and changes():
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                connection.rollback()
                raise RuntimeError(f"the migration leaves rows that point nowhere: {broken[:5]}")
        connection.commit()
        if sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
            connection.commit()


def keeping_triggers(connection: Connection) -> Callable[..., None]:
    """Called after each migration, refuses one that lost a trigger: SQLite drops those of a table
    that is copied with the old table, and says nothing."""
    known = triggers(connection)
    meant: set[str] = set()

    @event.listens_for(connection, "before_cursor_execute")
    def _(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        dropped = re.match(r"\s*DROP\s+TRIGGER\s+(?:IF\s+EXISTS\s+)?\W?(\w+)", statement, re.I)
        if dropped:
            meant.add(dropped[1])

    def kept(*, step: MigrationInfo, **_: object) -> None:
        now, tables = triggers(connection), inspect(connection).get_table_names()
        lost = [
            f"{name} of {table}"
            for name, table in known.items()
            if name not in now and name not in meant and table in tables
        ]
        if lost:
            raise RuntimeError(
                f"the migration to {step.destination_revision_ids} loses the triggers "
                f"{', '.join(lost)}: make them again after the table is copied, or drop them by "
                "DROP TRIGGER if that is meant"
            )
        known.clear()
        known.update(now)
        meant.clear()

    return kept


def triggers(connection: Connection) -> dict[str, str]:
    """The tables of the triggers of an SQLite file, by the triggers' names."""
    found = connection.exec_driver_sql(
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    )
    return {str(name): str(table) for name, table in found}


def numbered(_context: object, _revision: object, directives: list[Any]) -> None:
    """A new migration of `alembic revision` has the next number: older and newer are told apart
    by it. What it makes over some rows alone is said to both databases."""
    for script in directives:
        for operations in (script.upgrade_ops, script.downgrade_ops):
            narrow(operations)
        if not getattr(context.config.cmd_opts, "rev_id", None):
            script.rev_id = f"{int(context.get_head_revision() or 0) + 1:04}"


def wanted() -> object:
    """The revision that the command leads to; None for no tables."""
    return context.get_revision_argument()


def changes() -> bool:
    """Whether the command changes the database; `current` and `check` only look at it."""
    try:
        wanted()
    except KeyError:
        return False
    return True


run()
