"""What of the schema is in an archive, in the order in which it is restored, and how a row is
written as JSON and read back."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, LargeBinary, Select, Text, select
from sqlalchemy import Table as SqlTable
from sqlmodel.sql.sqltypes import AutoString

from db.errors import DatabaseError
from db.models import Game
from db.models.columns import JsonValue, aware, clean_text

FORMAT = "llm-arena archive"
VERSION = 1
MANIFEST = "manifest.json"

PROJECTIONS = frozenset(
    {
        "agent_trueskill", "counters", "event_types", "game_events", "granted_chunks", "leases",
        "live_states", "pair_counts", "pair_scopes", "people", "position_counts",
        "rating_changes", "rating_pools", "stored_boards",
    }
)  # fmt: skip
"""Tables that are no facts: computed again, of the moment, or of who has access to a database."""

DEFINITIONS = frozenset(
    {
        "agent_template_uses", "agent_templates", "tournament_template_uses",
        "tournament_templates",
    }
)  # fmt: skip
"""Tables of what tournaments are made from by copying: an archive holds the copies."""

NUMBERED = frozenset({"suggestions"})
"""Tables whose JSON names games and agents by their numbers, which are others elsewhere."""

OF_HERE = frozenset({"archived_games", "audit_log", "execution_logs", "game_states"})
"""Tables that say what happened in this database: another one has its own."""

KeyKind = Literal["own", "turn", "call", "none"]
"""`own` is a number without a meaning, `turn` and `call` are those of `db.keys`; with `none` a row
is known by the rows it belongs to."""


@dataclass(frozen=True, slots=True)
class ArchivedTable:
    """A table of an archive.

    `key` is what its column `id` is; `refers` are the columns that hold numbers of other tables'
    rows, by those tables: `turns` and `calls` are keys of `db.keys`. `named` are the columns by
    which a row of the catalogue is known in every database, and `made` those that must be equal
    for it to be the same. `order` is what its rows are sorted by, and `emptied` are columns that
    are left empty, because they say what a projection holds.
    """

    name: str
    key: KeyKind
    refers: Mapping[str, str]
    named: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    order: tuple[str, ...] = ("id",)
    emptied: tuple[str, ...] = ()

    @property
    def table(self) -> SqlTable:
        return table(self.name)


def table(name: str) -> SqlTable:
    """A table of the schema by its name."""
    return Game.metadata.tables[name]


_OF_GAME = {"game_id": "games"}
TABLES: tuple[ArchivedTable, ...] = (
    ArchivedTable("kinds", "own", {}, ("name", "version")),
    ArchivedTable(
        "models", "own", {}, ("name",), ("litellm_model_name", "params", "api_base", "system")
    ),
    ArchivedTable("prompts", "own", {"forked_from": "prompts"}, ("name",), ("content",)),
    ArchivedTable(
        "agents",
        "own",
        {"kind_id": "kinds", "model_id": "models", "prompt_id": "prompts"},
        ("kind_id", "model_id", "prompt_id", "options_hash"),
        ("fingerprint", "options"),
    ),
    ArchivedTable(
        "environments",
        "own",
        {},
        ("fingerprint",),
        ("name", "num_players", "options", "package", "version"),
    ),
    ArchivedTable(
        "tournaments",
        "own",
        {"environment_id": "environments"},
        emptied=("counters_version",),
    ),
    ArchivedTable(
        "games",
        "own",
        {
            "tournament_id": "tournaments",
            "environment_id": "environments",
            "parent_game_id": "games",
        },
        emptied=("events_version", "events_error", "positions"),
    ),
    ArchivedTable("game_players", "own", {**_OF_GAME, "agent_id": "agents"}),
    ArchivedTable("branch_runs", "own", {**_OF_GAME, "tournament_id": "tournaments"}),
    ArchivedTable("game_turns", "turn", _OF_GAME),
    ArchivedTable(
        "turn_payloads", "none", {"game_turn_id": "turns"}, order=("game_turn_id",)
    ),
    ArchivedTable("llm_calls", "call", {"game_turn_id": "turns"}),
    ArchivedTable("call_payloads", "none", {"llm_call_id": "calls"}, order=("llm_call_id",)),
    ArchivedTable("tool_calls", "call", {"game_turn_id": "turns"}),
    ArchivedTable("cached_answers", "none", {"llm_call_id": "calls"}, order=("request_hash",)),
    ArchivedTable("side_calls", "own", _OF_GAME),
    ArchivedTable(
        "text_vectors", "none", {"game_turn_id": "turns"}, order=("game_turn_id", "space")
    ),
    ArchivedTable("annotations", "own", _OF_GAME),
    ArchivedTable("requests", "own", {**_OF_GAME, "tournament_id": "tournaments"}),
    ArchivedTable(
        "annotation_tags", "none", _OF_GAME, order=("game_id", "turn", "annotator", "tag")
    ),
)  # fmt: skip
CATALOGUE = ("kinds", "models", "prompts", "agents", "environments")


def rows_of(archived: ArchivedTable) -> Select[Any]:
    """The statement that reads the columns of a table in its order."""
    columns = archived.table.c
    return select(*columns).order_by(*(columns[name] for name in archived.order))


def encoder(column: Column[Any]) -> Callable[[Any], Any]:
    """What makes JSON of a column's values."""
    if isinstance(column.type, LargeBinary):
        return lambda value: base64.b64encode(value).decode("ascii")
    if isinstance(column.type, DateTime) or _is_time(column):
        return lambda value: aware(value).isoformat()
    return lambda value: value


def decoder(column: Column[Any]) -> Callable[[Any], Any]:
    """What makes a column's values of JSON. Raises DatabaseError for one that is none."""
    kind = column.type
    if isinstance(kind, LargeBinary):
        return _checked(column, _blob)
    if isinstance(kind, DateTime) or _is_time(column):
        return _checked(column, lambda value: aware(datetime.fromisoformat(_is(value, str))))
    if isinstance(kind, JsonValue):
        return _checked(column, lambda value: _is(value, dict))
    if isinstance(kind, Boolean):
        return _checked(column, lambda value: _is(value, bool))
    if isinstance(kind, Integer):
        return _checked(column, _whole)
    if isinstance(kind, Float):
        return _checked(column, _number)
    if isinstance(kind, Text | AutoString):
        return _checked(column, _text)
    raise TypeError(f"{column} is of a type that no archive holds")


def _is_time(column: Column[Any]) -> bool:
    return "DateTime" in type(column.type).__name__


def _checked(column: Column[Any], read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def value_of(value: Any) -> Any:
        if value is None:
            if not column.nullable:
                raise DatabaseError(f"{column} is missing")
            return None
        try:
            return read(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise DatabaseError(f"{column} is {value!r:.60}") from error

    return value_of


def _is(value: Any, kind: type[Any]) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not -(2**63) <= _is(value, int) < 2**63:
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(_is(value, (int, float))):  # type: ignore[arg-type]
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if clean_text(_is(value, str)) != value:
        raise ValueError
    return str(value)


def _blob(value: Any) -> bytes:
    return base64.b64decode(_is(value, str), validate=True)
