"""The referee's verdict: the schema that is asked for, and how an answer is read against it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.llm.lenient_json import find_object
from arena.scenarios.shape import ScenarioShape, VerdictField
from arena.scenarios.values import Stated, read_as, takes, whole

_NEAR = 0.8  # of difflib's ratio: a misspelt option, not another one


@dataclass(frozen=True, slots=True)
class RefereeVerdict:
    """What the referee said by field; `wrong` says what is missing, one sentence for each field,
    and a verdict with such is none."""

    fields: Mapping[str, Stated]
    wrong: tuple[str, ...] = ()


def fields_of(shape: ScenarioShape) -> tuple[VerdictField, ...]:
    """The fields that a verdict has: those of the file, then one for each scene whose goal the
    referee judges (`scene_2`: yes or no)."""
    if shape.referee is None:
        return ()
    judged = [
        VerdictField(name=scene_field(number), options=("yes", "no"), description=success.referee)
        for number, scene in enumerate(shape.scenes, start=1)
        if (success := scene.success) is not None and success.referee is not None
    ]
    return (*shape.referee.fields, *judged)


def scene_field(number: int) -> str:
    """The field that says whether a scene, counted from 1, has reached its goal."""
    return f"scene_{number}"


def schema_of(fields: Sequence[VerdictField]) -> dict[str, Any]:
    """The JSON Schema of a verdict."""
    return {
        "type": "object",
        "properties": {field.name: _schema(field) for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def _schema(field: VerdictField) -> dict[str, Any]:
    said = {} if field.description is None else {"description": field.description}
    if field.options:
        return {"type": "string", "enum": [*field.options], **said}
    if field.text is not None:
        return {"type": "string", "maxLength": field.text, **said}
    assert field.number is not None
    low, high = field.number
    if whole(field.number):
        return {"type": "integer", "minimum": int(low), "maximum": int(high), **said}
    return {"type": "number", "minimum": low, "maximum": high, **said}


def read_verdict(answer: str, fields: Sequence[VerdictField]) -> RefereeVerdict:
    """The verdict in an answer, mended where what is meant is plain: letters of another case, an
    option that is misspelt, a number as text, a text that is too long."""
    wanted = {field.name.casefold() for field in fields}
    found = find_object(answer, wanted)
    if found is None:
        return RefereeVerdict({}, ("no JSON object with the fields of the verdict was found",))
    given = {str(name).casefold(): value for name, value in found.value.items()}
    read: dict[str, Stated] = {}
    wrong = []
    for field in fields:
        value = _mended(field, given.get(field.name.casefold()))
        if value is None:
            wrong.append(f"{field.name!r} is {_found(field, given)}; expected {_expected(field)}")
        else:
            read[field.name] = value
    return RefereeVerdict(read, tuple(wrong))


def _mended(field: VerdictField, value: Any) -> Stated | None:
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if value is None or isinstance(value, dict | list):
        return None
    text = str(value).strip()
    if field.text is not None:
        return text[: field.text] or None
    exact = read_as(field.number, field.options, text)
    if exact is not None or field.number is not None:
        return exact
    folded = {option.casefold(): option for option in field.options}
    near = difflib.get_close_matches(text.casefold()[:100], folded, n=2, cutoff=_NEAR)
    return folded[near[0]] if len(near) == 1 else None


def _expected(field: VerdictField) -> str:
    return "a text" if field.text is not None else takes(field.number, field.options)


def _found(field: VerdictField, given: Mapping[str, Any]) -> str:
    value = given.get(field.name.casefold())
    return "missing" if value is None else repr(value)[:60]
