"""Checks the options of a tournament file before anything is played: types, ranges, files."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.core.environments import RulesOption
from arena.core.errors import UsageError
from arena.core.text import one_line

_FILE_WORDS = frozenset({"dir", "directory", "file", "filename", "folder", "path"})
_LIKE_A_PATH = re.compile(r"~|/|\\\\|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:")

# What may be below 0 although it is not so by default.
_SIGNED = frozenset(
    {"bias", "bonus", "cost", "delta", "min", "offset", "payoff", "penalty", "profit", "reward",
     "score", "utility", "value", "values"}
)  # fmt: skip
_SHARES = frozenset({"chance", "fraction", "prob", "probability", "rate", "ratio", "share"})
# Memory and time go with their square.
_SIZES = frozenset({"board", "cols", "columns", "grid", "height", "rows", "size", "width"})

_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}


def check_values(name: str, options: Sequence[RulesOption], given: Mapping[str, Any]) -> None:
    """Raises UsageError for a value that is not of its option's type, or that is out of all bounds:
    a count below 0, a share outside 0 to 1, a thousand times the usual. `name` is the
    environment's; what is no option of it, or has a type that is not known here, passes."""
    known = {option.name: option for option in options}
    for key, value in given.items():
        option = known.get(key)
        if option is None:
            continue
        if not _is(option.type, value):
            raise UsageError(_refused(name, option, value, _expected(option.type)))
        low, high = _bounds(option)
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, int | float) and not low <= number <= high:
                raise UsageError(_refused(name, option, value, f"a number from {low} to {high}"))


def _refused(name: str, option: RulesOption, value: Any, expected: str) -> str:
    usual = "" if option.required else f", {option.default!r} by default"
    return (
        f"{name} has the option {option.name}: {one_line(repr(value), 60)}; expected {expected}"
        f"{usual}"
    )


def _bounds(option: RulesOption) -> tuple[float, float]:
    words = set(option.name.lower().split("_"))
    usual = option.default if isinstance(option.default, int | float) else 0
    size = max(abs(usual), 10)
    if words & _SHARES and 0 <= usual <= 1:
        return 0, 1
    high = 10 * size if words & _SIZES else 1_000 * size
    return (-high if usual < 0 or words & _SIGNED else 0), high


def _is(kind: str, value: Any) -> bool:
    """Whether a value is of a type as Python writes it; YAML has lists, and no tuples or sets."""
    kind = kind.strip()
    options = _split(kind, "|")
    outer, inner = _taken_apart(kind)
    if len(options) > 1 or outer == "Union":
        return any(_is(option, value) for option in (options[1:] and options) or _split(inner, ","))
    match outer:
        case "Optional":
            return value is None or _is(inner, value)
        case "None" | "NoneType":
            return value is None
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "str":
            return isinstance(value, str)
        case "Literal":
            try:
                return value in ast.literal_eval(f"[{inner}]")
            except (ValueError, SyntaxError):
                return True
        case "list" | "List" | "Sequence" | "Iterable":
            return isinstance(value, list | tuple) and all(_is(inner, item) for item in value)
        case "tuple" | "Tuple" | "set" | "Set":
            return isinstance(value, list | tuple | set)
        case "dict" | "Dict" | "Mapping":
            return isinstance(value, Mapping)
    return True


def _expected(kind: str) -> str:
    outer, inner = _taken_apart(kind.strip())
    if outer == "Optional":
        return _expected(inner)
    return _WORDS.get(kind.strip(), kind)


def _taken_apart(kind: str) -> tuple[str, str]:
    """`List[int]` as (`List`, `int`)."""
    outer, bracket, rest = kind.partition("[")
    inner = rest[:-1] if bracket and kind.endswith("]") else ""
    return outer.strip().rpartition(".")[2], inner


def _split(text: str, mark: str) -> list[str]:
    """Parts between marks that are in no brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == mark and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def held(what: str, options: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """The options with the paths of files made absolute, all of them inside `folder`.

    A tournament file may be a stranger's, and what its rules read is shown to models: a path that
    leaves its folder is refused. None is the folder of a tournament that is read from a database,
    which has no files. Raises UsageError; `what` names who has the options.
    """
    return {key: _held(f"{what} has the option {key}", key, value, folder)
            for key, value in options.items()}  # fmt: skip


def _held(where: str, key: str, value: Any, folder: Path | None) -> Any:
    if isinstance(value, Mapping):
        return {name: _held(where, str(name), item, folder) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_held(where, key, item, folder) for item in value]
    if not isinstance(value, str) or not value:
        return value
    named = not _FILE_WORDS.isdisjoint(re.split(r"[^a-z]+", key.lower()))
    if not (named or _LIKE_A_PATH.match(value)):
        return value
    shown = one_line(repr(value), 60)
    if folder is None:
        raise UsageError(
            f"{where}: {shown}, which names a file beside the tournament's: type `arena run` with "
            "that file"
        )
    try:
        file = (folder / value).resolve()
        inside = file.is_relative_to(folder.resolve()) and not value.startswith(("~", "file:"))
        there = inside and file.exists()
    except (OSError, ValueError, RuntimeError):
        inside = there = False
    if not inside:
        raise UsageError(
            f"{where}: {shown}, which leads out of the tournament's folder; copy the file beside "
            "the tournament's"
        )
    if not there and not named:
        # Another text that only begins like a path; as one it would not lead out.
        return value
    if not there:
        raise UsageError(f"{where}: {shown}; there is no such file in {folder}")
    return str(file)
