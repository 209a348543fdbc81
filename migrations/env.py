"""Runs the migrations in one transaction, on the engine that `db.schema` hands over; for plain
`alembic`, on the database of ARENA_DATABASE_URL, else sqlite:///arena.db."""

from pathlib import Path
from typing import Any

from alembic import context
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, text

import db.models
from db import Database, DatabaseError
from db.engine import said_plainly
from db.leases import refuse_held
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
            process_revision_directives=number,
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
            connection.commit()


def number(_context: object, _revision: object, directives: list[Any]) -> None:
    """A new migration of `alembic revision` has the next number: older and newer are told apart
    by it."""
    for script in directives:
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
