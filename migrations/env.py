"""Runs the migrations on the engine that `db.schema` hands over, in one transaction."""

from alembic import context
from sqlalchemy import Engine, text

import db.models
from db.models.columns import Table

assert db.models is not None


def run() -> None:
    engine: Engine = context.config.attributes["engine"]
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            # With foreign keys on, batch mode drops the old table and, by ON DELETE CASCADE,
            # silently every row that points to it. The pragma is ignored inside a transaction.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # Two processes may open a new database at the same moment.
            connection.execute(text("SELECT pg_advisory_xact_lock(7305808869231650157)"))
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            render_as_batch=True,
            transactional_ddl=True,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                connection.rollback()
                raise RuntimeError(f"the migration leaves rows that point nowhere: {broken[:5]}")
        connection.commit()
        if sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.commit()


run()
