"""Makes JSON Schemas of what is printed, from the types of the reports and rows in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.cli.output import JSON_VERSION

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object of JSON: the fields of types, then those that are given by name. `without` are
    fields of the types that it does not have, `optional` some that it need not have; with
    `endless`, numbers that are no number there (infinities) are null."""

    types: Sequence[Any] = ()
    named: Mapping[str, Any] | None = None
    without: Sequence[str] = ()
    optional: Sequence[str] = ()
    endless: bool = False


@dataclass(frozen=True, slots=True)
class JsonRows:
    """A list of objects."""

    of: JsonObject


@dataclass(frozen=True, slots=True)
class OneOfForms:
    """One of several objects, by what was asked."""

    forms: Sequence[JsonObject]


def document(command: str, form: JsonObject | OneOfForms) -> dict[str, Any]:
    """The JSON Schema of what a command prints."""
    definitions: dict[str, Any] = {}
    forms = form.forms if isinstance(form, OneOfForms) else [form]
    objects = [_object(each, definitions, top=True) for each in forms]
    for each in definitions.values():
        _close(each)
    if any(each.endless for each in forms):
        _allow_null([objects, definitions])
    return {
        "$schema": _SCHEMA,
        "title": f"arena {command} --json",
        **(objects[0] if len(objects) == 1 else {"anyOf": objects}),
        "$defs": definitions,
    }


def _object(
    fields: JsonObject, definitions: dict[str, Any], *, top: bool = False
) -> dict[str, Any]:
    properties: dict[str, Any] = {"version": {"const": JSON_VERSION}} if top else {}
    for each in fields.types:
        properties |= _of_type(each, definitions).get("properties", {})
    for name, kind in (fields.named or {}).items():
        properties[name] = _of_field(kind, definitions)
    for name in fields.without:
        del properties[name]
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in fields.optional],
        "additionalProperties": False,
    }


def _of_field(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, JsonObject):
        return _object(kind, definitions)
    if isinstance(kind, JsonRows):
        return {"type": "array", "items": _object(kind.of, definitions)}
    return _of_type(kind, definitions)


def _of_type(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        adapter = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:
        # Dataclasses and models bring their own configuration.
        adapter = TypeAdapter(kind)
    schema = adapter.json_schema(mode="serialization")
    definitions.update(schema.pop("$defs", {}))
    return _bare(schema)


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what is said for programmers: docstrings, titles and defaults."""
    for name in ("title", "description", "default"):
        schema.pop(name, None)
    return schema


def _close(schema: Any) -> None:
    """Nothing but the fields that are named, and all of them: a report is printed whole."""
    if isinstance(schema, list):
        for each in schema:
            _close(each)
    if not isinstance(schema, dict):
        return
    if isinstance(properties := schema.get("properties"), dict):
        schema |= {"required": [*properties], "additionalProperties": False}
        for each in (schema, *properties.values()):
            _bare(each)
    for name, each in schema.items():
        if name != "required":
            _close(each)


def _allow_null(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "number":
            schema["type"] = ["number", "null"]
        schema = [*schema.values()]
    for each in schema if isinstance(schema, list) else ():
        _allow_null(each)
