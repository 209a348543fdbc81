"""SQL for three roles of a PostgreSQL database, each with no more than it needs: an owner, by whom
the tables are made and changed; a writer, by whom tournaments are run; a reader, for pages and
notebooks. It is printed, and run by whoever administers the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import URL

from db.engine import get_engine, said_plainly
from db.errors import DatabaseError
from db.schema import check_schema, current

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
APPENDED = ("audit_log", "execution_logs", "game_states")
"""The tables that a run only adds to: no right to change or delete their rows is given."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the roles. Raises DatabaseError for what is no plain name."""

    owner: str = "arena_owner"
    writer: str = "arena_writer"
    reader: str = "arena_reader"

    def __post_init__(self) -> None:
        names = (self.owner, self.writer, self.reader)
        for name in names:
            _check(name, "a role")
        if len({*names}) < len(names):
            raise DatabaseError("the roles have one name: expected three")


def role_statements(database: str, schema: str = "public", roles: Roles | None = None) -> list[str]:
    """The statements, which can be run again: for a database of this name, whose tables are in this
    schema, or will be. Raises DatabaseError for a schema whose name is not plain."""
    _check(schema, "a schema")
    return [*_statements(database, schema, roles or Roles())]


def check_tables(url: URL, schema: str = "public") -> str | None:
    """Raises SchemaTooOld or SchemaTooNew for tables of another release in this schema, of which
    the statements would leave some to whoever made them. A sentence where the database cannot be
    looked at yet; None where it was."""
    if schema != "public":
        url = url.update_query_dict({"options": f"-csearch_path={schema}"})
    engine = get_engine(url, pooled=False)
    try:
        with said_plainly(url), engine.connect():
            pass
    except DatabaseError as error:
        return str(error)
    if current(engine) is not None:
        check_schema(engine, create=False)
    return None


def _check(name: str, what: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise DatabaseError(
            f"{name[:80]!r} is not the name of {what}: expected small letters, digits and _"
        )


def _statements(database: str, schema: str, roles: Roles) -> Iterator[str]:
    import db.models
    from db.models.columns import Table

    assert db.models is not None
    owner, writer, reader = roles.owner, roles.writer, roles.reader
    # Others have named it: with capitals, dashes and spaces, or by a word of SQL.
    database = '"{}"'.format(database.replace('"', '""'))
    for role in (owner, writer, reader):
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} LOGIN; END IF; END $$"
        )
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"
    yield f"GRANT CONNECT ON DATABASE {database} TO {owner}, {writer}, {reader}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC"
    yield f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {owner}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {writer}, {reader}"
    # Tables that are there become the owner's; their sequences and indexes go with them.
    names = ", ".join(f"'{name}'" for name in sorted([*Table.metadata.tables, "alembic_version"]))
    yield (
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables WHERE "  # noqa: S608
        f"schemaname = '{schema}' AND tablename IN ({names}) LOOP EXECUTE format('ALTER TABLE "
        f"{schema}.%I OWNER TO {owner}', name); END LOOP; END $$"
    )
    yield (
        "DO $$ DECLARE made regprocedure; BEGIN FOR made IN "  # noqa: S608
        "SELECT DISTINCT t.tgfoid::regprocedure FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE NOT t.tgisinternal AND n.nspname = '{schema}' AND c.relname IN "
        f"({names}) LOOP EXECUTE format('ALTER FUNCTION %s OWNER TO {owner}', made); END LOOP; "
        "END $$"
    )
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {writer}, {reader}"
    yield f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {writer}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {writer}"
    # A backup notes what number is next.
    yield f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {reader}"
    for table in (*APPENDED, "alembic_version"):
        kept = "INSERT, UPDATE, DELETE" if table == "alembic_version" else "UPDATE, DELETE"
        yield (
            f"DO $$ BEGIN IF to_regclass('{schema}.{table}') IS NOT NULL THEN "
            f"REVOKE {kept}, TRUNCATE ON {schema}.{table} FROM {writer}; END IF; END $$"
        )
    # What migrations make later.
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
    yield f"{later} GRANT SELECT ON TABLES TO {writer}, {reader}"
    yield f"{later} GRANT INSERT, UPDATE, DELETE ON TABLES TO {writer}"
    yield f"{later} GRANT USAGE, SELECT ON SEQUENCES TO {writer}"
    yield f"{later} GRANT SELECT ON SEQUENCES TO {reader}"
    # The words that `arena search` looks in can be deleted and made again: they are the writer's.
    search, emptying = f"{schema}_search", "SELECT, INSERT, UPDATE, DELETE, TRUNCATE"
    yield f"CREATE SCHEMA IF NOT EXISTS {search} AUTHORIZATION {writer}"
    # The owner, who brings transcripts back, empties them.
    yield f"GRANT USAGE ON SCHEMA {search} TO {owner}, {reader}"
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {search} TO {reader}"
    yield f"GRANT {emptying} ON ALL TABLES IN SCHEMA {search} TO {owner}"
    yield (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {writer} IN SCHEMA {search} "
        f"GRANT SELECT ON TABLES TO {reader}"
    )
    yield (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {writer} IN SCHEMA {search} "
        f"GRANT {emptying} ON TABLES TO {owner}"
    )
    yield f"ALTER ROLE {reader} SET default_transaction_read_only = on"
