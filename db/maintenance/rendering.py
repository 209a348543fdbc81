"""How Alembic writes what it found into a new migration: in SQLAlchemy's words alone, since the
models that it was found in go on changing."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateIndexOp, OpContainer
from sqlalchemy import LargeBinary, text
from sqlmodel.sql.sqltypes import AutoString

from db.models.columns import CompactDateTime, JsonValue

_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_WHERE = ("sqlite_where", "postgresql_where")


def rendered(kind: str, item: Any, context: AutogenContext) -> str | bool:
    """The type of a column as a migration writes it; False for one that Alembic writes well."""
    if kind != "type":
        return False
    if isinstance(item, JsonValue):
        context.imports.add(_POSTGRESQL)
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if isinstance(item, CompactDateTime):
        return 'sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")'
    if isinstance(item, LargeBinary):
        return "sa.LargeBinary()"
    if isinstance(item, AutoString):
        return f"sa.String({item.length})" if item.length else "sa.Text()"
    return False


def narrow(operations: OpContainer) -> None:
    """Say to both databases over which rows an index is: models say it in its `info`, and tables
    of one of them to that one."""
    for operation in operations.ops:
        if isinstance(operation, OpContainer):
            narrow(operation)
        elif isinstance(operation, CreateIndexOp):
            stated = [operation.kw[key] for key in _WHERE if operation.kw.get(key) is not None]
            where = stated[0] if stated else _where(operation)
            if where is not None:
                operation.kw |= dict.fromkeys(_WHERE, text(str(where)))


def _where(operation: CreateIndexOp) -> str | None:
    table = getattr(operation.columns[0], "table", None)
    indexes = () if table is None else table.indexes
    found = [index.info.get("where") for index in indexes if index.name == operation.index_name]
    return found[0] if found else None
