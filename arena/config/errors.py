"""Says what is wrong with a tournament file: the line, what was found, what was expected.

Every problem is shown at once, in the order of the file, and never with a secret in it.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from arena.core.text import one_line

KeyPath = tuple[str | int, ...]

WrittenAt = int | str
"""Where a value was written: a line of the file, from 1, or the option that says it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `line` is None where only the path is known."""

    path: KeyPath
    message: str
    line: WrittenAt | None = None


def located(
    source: str, problems: Iterable[Problem], lines: Mapping[KeyPath, WrittenAt] | None = None
) -> str:
    """The message for one or several problems, each as `file:line: what`, or as `--set KEY: what`,
    behind those of the file."""
    lines = lines or {}
    placed = sorted(
        dict.fromkeys(
            (problem.line or line_of(lines, problem.path), problem.message) for problem in problems
        ),
        key=lambda item: item[0] if isinstance(item[0], int) else sys.maxsize,
    )
    shown = [f"{written_at(source, line)}: {text}" for line, text in placed]
    if len(shown) == 1:
        return shown[0]
    return "\n  ".join([f"{len(shown)} problems in {source}", *shown])


def written_at(source: str, place: WrittenAt | None) -> str:
    """`quick.yaml:4`, `--set games`, or the file alone where the place is not known."""
    if isinstance(place, str):
        return place
    return f"{source}:{place}" if place else source


def line_of(lines: Mapping[KeyPath, WrittenAt], path: KeyPath) -> WrittenAt | None:
    """The line of a path, or of the nearest thing around it."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def dotted(path: KeyPath) -> str:
    """`("agents", 0, "model")` as `agents[0].model`."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return one_line(shown.removeprefix("."), 80)


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` or a list of what there is, to put behind an unknown name."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    if not names:
        return ""
    return f"; known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


# ---------------------------------------------------------------------------
# Secrets
# ---------------------------------------------------------------------------

_SECRET_KEY = re.compile(
    r"^(x[-_])?(api[-_]?key|access[-_]?key|secret|secret[-_]?(access[-_]?)?key|auth[-_]?token"
    r"|access[-_]?token|api[-_]?token|token|password|authorization|bearer|credentials)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"^(bearer\s+\S{8,}|(sk|pk|rk|gsk|xai|pplx|hf|r8|csk|fw|tgp|nvapi|glpat|gh[opsu]|github_pat)"
    r"[-_][A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|(AKIA|ASIA)[A-Z0-9]{16}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)$",
    re.IGNORECASE,
)
_SECRET_URL = re.compile(
    r"://[^/\s@]*:[^/\s@]+@|[?&](api[-_]?key|key|token|sig|signature|secret|password|code)=[^&\s]+",
    re.IGNORECASE,
)


def looks_secret(value: object, key: str | int | None = None) -> bool:
    """Whether a value, or the key it stands under, looks like a credential."""
    if not isinstance(value, str) or not value.strip():
        return False
    if isinstance(key, str) and _SECRET_KEY.match(key):
        return True
    return bool(_SECRET_VALUE.match(value.strip()) or _SECRET_URL.search(value))


# ---------------------------------------------------------------------------
# What pydantic found, in words
# ---------------------------------------------------------------------------

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "list_type": "a list ('- ...' items)",
    "tuple_type": "a list ('- ...' items)",
    "dict_type": "keys and values ('key: value')",
    "model_type": "keys and values ('key: value')",
    "model_attributes_type": "keys and values ('key: value')",
    "greater_than_equal": "a number from {ge} up",
    "greater_than": "a number above {gt}",
    "less_than_equal": "a number up to {le}",
    "less_than": "a number below {lt}",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "finite_number": "a finite number",
    "literal_error": "{expected}",
}


def explain(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """The problems of a validation, in our words. `model` is the shape that was expected."""
    details = error.errors(include_url=False)
    misspelt = {
        (*path[:-1], near)
        for path, near in (
            (_path(detail), _near_key(model, detail))
            for detail in details
            if detail["type"] == "extra_forbidden"
        )
        if near
    }
    problems = []
    refused: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in details:
        place = _place(_path(detail), model)
        if place != _path(detail):
            refused.setdefault(place, []).append(detail)
        elif not (detail["type"] == "missing" and place in misspelt):
            problems.append(Problem(place, _sentence(detail, model)))
    return problems + [Problem(at, _none_of(at, each)) for at, each in refused.items()]


def _path(detail: ErrorDetails) -> KeyPath:
    return tuple(detail["loc"])


def _place(path: KeyPath, model: type[BaseModel]) -> KeyPath:
    """Where a value is in the file: behind one that may be of several kinds (a number or `never`)
    pydantic puts the name of the kind that it tried."""
    here: Any = model
    for depth, part in enumerate(path, 1):
        here = _inside(here, part)
        if _kinds(here) and path[depth:] != ("[key]",):
            return path[:depth]
    return path


def _inside(annotation: Any, part: str | int) -> Any:
    fields = getattr(annotation, "model_fields", None)
    if fields is not None:
        return _given(fields[part].annotation) if part in fields else None
    args = [arg for arg in get_args(annotation) if arg is not Ellipsis]
    return args[-1] if args else None


def _kinds(annotation: Any) -> list[Any]:
    """What a value may be, where that is several plain kinds."""
    if get_origin(annotation) not in (Union, UnionType):
        return []
    kinds = [each for each in get_args(annotation) if each is not NoneType]
    plain = len(kinds) > 1 and not any(hasattr(each, "model_fields") for each in kinds)
    return kinds if plain else []


def _none_of(path: KeyPath, details: Sequence[ErrorDetails]) -> str:
    """`keep: expected a number from 0 up or 'never', found -1`."""
    *kinds, last = dict.fromkeys(_expected(detail) or detail["msg"] for detail in details)
    kind = f"{', '.join(kinds)} or {last}" if kinds else last
    return f"{dotted(path)}: expected {kind}, found {found(details[0]['input'])}"


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path, kind, context = _path(detail), detail["type"], detail.get("ctx", {})
    here = dotted(path) or "the file"
    if kind == "missing":
        parent = dotted(path[:-1])
        return f"{path[-1]!r} is missing" + (f" in {parent}" if parent else "")
    if kind == "extra_forbidden":
        return _unknown_key(detail, model)
    if kind == "value_error":
        reason = str(context.get("error", detail["msg"]))
        return f"{here}: {reason}" if path else reason
    return f"{here}: {expectation(detail)}"


def expectation(detail: ErrorDetails) -> str:
    """`expected a whole number, found 'many'`."""
    expected = _expected(detail)
    if expected is None:
        return f"{detail['msg']}, found {found(detail['input'])}"
    many = detail.get("ctx", {}).get("actual_length")
    shown = found(detail["input"]) if many is None else many
    return f"expected {expected}, found {shown}"


def _expected(detail: ErrorDetails) -> str | None:
    bounds = {name: _number(value) for name, value in detail.get("ctx", {}).items()}
    expected = _EXPECTED.get(detail["type"])
    return None if expected is None else expected.format(**bounds)


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unknown_key(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = _path(detail)
    name = str(path[-1])
    inside = dotted(path[:-1])
    sentence = f"unknown key {one_line(name, 60)!r}" + (f" in {inside}" if inside else "")
    near = _near_key(model, detail)
    if near:
        return f"{sentence}; did you mean {near!r}?"
    homes = [home for home, keys in _homes(model) if name in keys and home != inside]
    if homes:
        return f"{sentence}; it belongs under {' or '.join(repr(home) for home in homes)}"
    return sentence + nearest("", _keys(shape(model, path[:-1])))


def _near_key(model: type[BaseModel], detail: ErrorDetails) -> str | None:
    path = _path(detail)
    keys = _keys(shape(model, path[:-1]))
    near = difflib.get_close_matches(str(path[-1]), keys, n=1, cutoff=0.6)
    return near[0] if near else None


def _keys(model: type[BaseModel] | None) -> list[str]:
    return list(model.model_fields) if model else []


def _homes(model: type[BaseModel]) -> list[tuple[str, list[str]]]:
    inner = [(name, shape(model, (name,)) or shape(model, (name, 0))) for name in _keys(model)]
    return [(name, _keys(part)) for name, part in inner if part]


def shape(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that validates the value at a path; None where there is no model."""
    here: Any = model
    for part in path:
        if isinstance(part, int):
            items = [arg for arg in get_args(here) if arg is not Ellipsis]
            here = items[0] if items else None
        else:
            fields = getattr(here, "model_fields", {})
            here = _given(fields[part].annotation) if part in fields else None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _given(annotation: Any) -> Any:
    """The `X` of an `X | None`; any other annotation as it is."""
    options = [option for option in get_args(annotation) if option is not NoneType]
    optional = isinstance(annotation, UnionType) and len(options) == 1
    return options[0] if optional else annotation


def found(value: object) -> str:
    """A value as it was found, short, on one line, and never a secret."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "a secret" if looks_secret(value) else repr(one_line(value, 60))
    if isinstance(value, bool | int | float):
        return one_line(json.dumps(value), 40)
    if isinstance(value, Mapping):
        return "keys and values"
    return "a list" if isinstance(value, list | tuple) else type(value).__name__
