"""Makes and changes the tables, by Alembic alone, and says which release they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import CheckConstraint, Connection, Engine, inspect, text

from db.engine import said_plainly
from db.errors import DatabaseError, MissingDatabase, SchemaTooNew, SchemaTooOld
from db.strange_files import refuse_strange
from db.urls import shown

# Known without importing Alembic, which costs more than a reading command. A test compares it
# with the migrations. Revisions are numbers, so that older and newer can be told apart.
HEAD = "0036"


_DEFINITIONS = text("SELECT type, name, sql FROM sqlite_master")


def migrations_path() -> Path:
    """Where the migrations are: beside `db` in a checkout, inside it in a wheel."""
    here = Path(__file__).resolve().parent
    packed = here / "_migrations"
    return packed if packed.is_dir() else here.parent / "migrations"


def _configuration(engine: Engine) -> Any:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_path()).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["engine"] = engine
    return configuration


# Alembic keeps what it migrates in one place of the process: no two threads may do it at once.
_ALONE = Lock()


@contextmanager
def migrating(engine: Engine) -> Iterator[Any]:
    """Alembic's configuration for this engine, while nobody else in the process uses Alembic."""
    with said_plainly(engine.url), _ALONE:
        yield _configuration(engine)


def current(engine: Engine) -> str | None:
    """The revision of the tables; None for a database that holds nothing.

    Raises DatabaseError for tables that are not the arena's.
    """
    if engine.url.drivername == "sqlite" and not Path(str(engine.url.database)).exists():
        return None
    with said_plainly(engine.url), engine.connect() as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    url = connection.engine.url
    if connection.dialect.name == "sqlite":
        refuse_strange(url, connection.execute(_DEFINITIONS))
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        revisions = connection.execute(text("SELECT version_num FROM alembic_version"))
        found = sorted(str(revision) for revision in revisions.scalars())
        if len(found) > 1:
            raise DatabaseError(
                f"the tables of {shown(url)} are of several revisions at once "
                f"({', '.join(found)}), which no release of the arena makes: go back to a backup"
            )
        if found:
            return found[0]
        tables.remove("alembic_version")
    if not tables:
        return None
    raise DatabaseError(
        f"{shown(url)} holds tables that are not the arena's ({', '.join(tables[:3])}, ...): "
        "give a database of its own"
    )


def check_schema(engine: Engine, *, create: bool = True) -> None:
    """Raises SchemaTooOld or SchemaTooNew unless the tables are of this release.

    An empty database gets its tables, or, with `create=False`, raises MissingDatabase.
    """
    found = current(engine)
    if found == HEAD:
        return
    place = shown(engine.url)
    if found is None:
        if not create:
            raise MissingDatabase(
                f"there is no database at {place}: give another one with --db, or make it with "
                "`arena db upgrade`"
            )
        upgrade(engine)
        return
    _refuse(place, found)


def _refuse(place: str, found: str) -> None:
    if found not in _revisions() and not (found.isdigit() and int(found) > int(HEAD)):
        raise DatabaseError(
            f"the tables of {place} are of revision {found}, which no release of the arena has: "
            f"take them back to {HEAD} by `arena db downgrade` of the code that made them, or go "
            "back to a backup"
        )
    if int(found) < int(HEAD):
        raise SchemaTooOld(
            f"the tables of {place} are of revision {found}, this release needs {HEAD}: "
            "type `arena db upgrade`"
        )
    raise SchemaTooNew(
        f"the tables of {place} are of revision {found}, this release knows only {HEAD}: "
        "upgrade the arena (pip install --upgrade llm-arena)"
    )


def _revisions() -> list[str]:
    """Those that this release has, from the first to the newest."""
    files = (migrations_path() / "versions").glob("[0-9]*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def steps(engine: Engine, revision: str, *, down: bool = False) -> tuple[str | None, str | None]:
    """The revision of the tables, and the one after an upgrade or, `down`, a downgrade to
    `revision`: the same where there is nothing to do; None for a database without tables.

    Raises SchemaTooNew, and DatabaseError for a revision that does not exist.
    """
    found = current(engine)
    known = _revisions()
    if found is not None and found not in known:
        _refuse(shown(engine.url), found)
    target = {"head": HEAD, "base": None}.get(revision, revision)
    if target is not None and target not in known:
        raise DatabaseError(
            f"there is no revision {revision!r}: expected {'base' if down else 'head'} or one of "
            f"{', '.join(known)}"
        )
    there, wanted = int(found or 0), int(target or 0)
    return found, target if (wanted < there if down else wanted > there) else found


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction.

    Raises SchemaTooNew, LeaseHeld while somebody runs a tournament, and DatabaseError for a
    revision that does not exist.
    """
    found, target = steps(engine, revision)
    if found != target:
        from alembic import command

        with migrating(engine) as configuration:
            command.upgrade(configuration, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the tables back to an earlier revision (`base` for none), in one transaction.

    Raises what `upgrade` raises.
    """
    found, target = steps(engine, revision, down=True)
    if found != target:
        from alembic import command

        with migrating(engine) as configuration:
            command.downgrade(configuration, revision)


def differences(engine: Engine) -> list[str]:
    """What the models say and the tables do not, or the other way round; empty when equal.

    Compares tables, columns, types, nullability, defaults, indexes, unique, foreign key and check
    constraints, and the names of triggers.
    """
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import db.models
    from db.models.columns import Table

    assert db.models is not None
    found: list[str] = []
    with said_plainly(engine.url), engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        found += [_described(entry) for entry in compare_metadata(context, Table.metadata)]
        found += [f"missing trigger {name}" for name in _missing_triggers(connection)]
        look = inspect(connection)
        there = set(look.get_table_names())
        for table in Table.metadata.sorted_tables:
            if table.name not in there:
                continue
            modelled = {
                str(constraint.name): str(constraint.sqltext)
                for constraint in table.constraints
                if isinstance(constraint, CheckConstraint)
            }
            stored = {
                str(check["name"]): str(check["sqltext"])
                for check in look.get_check_constraints(table.name)
            }
            found += [
                f"{table.name}: no check {name}" for name in sorted(modelled.keys() - stored.keys())
            ]
            found += [
                f"{table.name}: extra check {name}"
                for name in sorted(stored.keys() - modelled.keys())
            ]
            if engine.dialect.name == "sqlite":
                # PostgreSQL gives a check back in its own words.
                found += [
                    f"{table.name}: check {name} says {stored[name]}"
                    for name in sorted(modelled.keys() & stored.keys())
                    if modelled[name] != stored[name]
                ]
    return found


def _missing_triggers(connection: Connection) -> list[str]:
    """Those that a rebuilt table has lost, or somebody dropped."""
    from db.triggers import ON_SERVER, ON_SQLITE

    server = connection.dialect.name == "postgresql"
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if server
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    there = {*connection.execute(text(query)).scalars()}
    return sorted({*(ON_SERVER if server else ON_SQLITE)} - there)


def _described(entry: Any) -> str:
    if isinstance(entry, list):
        return "; ".join(_described(part) for part in entry)
    return " ".join(str(getattr(part, "name", part)) for part in entry if part is not None)


def drop_schema(engine: Engine) -> None:
    """Drop every table of the arena's, of whatever release, and nothing else."""
    from alembic import command

    import db.models
    from db.models.columns import Table

    assert db.models is not None
    if current(engine) == HEAD:
        with migrating(engine) as configuration:
            command.downgrade(configuration, "base")
        return
    with said_plainly(engine.url), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
        Table.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        if engine.dialect.name == "postgresql":
            for function in (
                "refuse_prompt_change",
                "refuse_by_trail",
                "refuse_game_status",
                "add_game_state",
                "add_entered_game_states",
                "refuse_pause",
                "refuse_game_state_change",
            ):
                connection.execute(text(f"DROP FUNCTION IF EXISTS {function} CASCADE"))
        connection.commit()
    engine.dispose()
