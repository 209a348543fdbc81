"""The column types that both databases share, and the text that neither can hold as it is."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

# Only "INTEGER PRIMARY KEY" is a table's own key on SQLite; a BIGINT would cost a second index.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Table(SQLModel):
    """What the tables share: their own metadata, so that a user's tables stay out of it, and
    names for every constraint, so that a migration can change it.

    An index over some of the rows says which in its `info`, as `where`. The migrations say it to
    the databases: said here in SQLAlchemy's words, it would import both dialects with the tables,
    whichever is used."""

    model_config = SQLModelConfig(ignored_types=(hybrid_property,), defer_build=True)

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean_text(text: str) -> str:
    """`text` with NUL and lone surrogates as visible escapes; `text` itself when it has none.

    PostgreSQL refuses NUL and SQLite lone surrogates; model output has both.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(
        lambda match: "\\x00" if match[0] == "\x00" else f"\\u{ord(match[0]):04x}", text
    )


def raw_text(text: str, cleaned: str) -> bytes | None:
    """What to keep beside a cleaned text: the original's bytes, or None when nothing changed."""
    return None if cleaned == text else text.encode("utf-8", "surrogatepass")


def original_text(cleaned: str | None, raw: bytes | None) -> str | None:
    """The text as it was written."""
    return cleaned if raw is None else raw.decode("utf-8", "surrogatepass")


def aware(moment: datetime) -> datetime:
    """The moment in UTC; a naive one is taken as UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def microseconds(moment: datetime) -> int:
    """Since 1970; a naive moment is taken as UTC already."""
    return (aware(moment) - EPOCH) // _MICROSECOND


def storable_json(value: Any) -> Any:
    """`value` with every string that a database cannot hold as `{"$bytes": base64}`."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value) is None:
            return value
        data = value.encode("utf-8", "surrogatepass")
        return {"$bytes": base64.b64encode(data).decode("ascii")}
    if isinstance(value, dict):
        stored = {clean_text(str(key)): storable_json(item) for key, item in value.items()}
        # A dictionary that looks like the escape is escaped itself, by a list.
        return {"$bytes": [stored["$bytes"]]} if stored.keys() == {"$bytes"} else stored
    if isinstance(value, list | tuple):
        return [storable_json(item) for item in value]
    return value


def original_json(value: Any) -> Any:
    """The inverse of `storable_json`."""
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            escaped = value["$bytes"]
            if isinstance(escaped, list):
                return {"$bytes": original_json(escaped[0])}
            return base64.b64decode(escaped).decode("utf-8", "surrogatepass")
        return {key: original_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [original_json(item) for item in value]
    return value


def stored_json(value: Any) -> Any:
    """What a driver gives of a `JsonValue`, as it was written: SQLite has a text there.

    Raises ValueError for anything but an object: nothing else is ever stored, and everybody looks
    for fields in it.
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object was expected, and is {type(value).__name__}")
    return original_json(value)


class CompactDateTime(TypeDecorator[datetime]):
    """A time with a zone, as PostgreSQL keeps it; on SQLite microseconds since 1970, 8 bytes in the
    place of 26. Those of turns and calls, of which there are most."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        kind = DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value if value is None else aware(value)
        return microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value if value is None else aware(value)
        return EPOCH + timedelta(microseconds=value)


class JsonValue(TypeDecorator[Any]):
    """JSON, as JSONB on PostgreSQL; None is SQL NULL; strings come back as they were written."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB

            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return storable_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return stored_json(value)
