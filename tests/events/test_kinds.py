"""The arena's kinds of event are those of the first migration, and their schemas are sound."""

from __future__ import annotations

from jsonschema import Draft202012Validator
from sqlmodel import select

from arena.events.kinds import KINDS
from db import get_session
from db.models import EventType


def test_every_database_knows_them(database_url: str) -> None:
    with get_session(database_url) as session:
        rows = {row.name: row for row in session.exec(select(EventType))}
        assert set(rows) == {kind.name for kind in KINDS}
        for kind in KINDS:
            assert rows[kind.name].description == kind.description
            assert rows[kind.name].data_schema == kind.schema


def test_a_schema_is_one_and_asks_for_an_object() -> None:
    for kind in KINDS:
        Draft202012Validator.check_schema(dict(kind.schema))
        assert kind.schema["type"] == "object"
