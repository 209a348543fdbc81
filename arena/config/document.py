"""Reads YAML as plain data and remembers the line of every value; refuses what could hurt.

The types are those of YAML 1.2 (and of JSON): `no` is a word, `1e3` a number, a date is text.
Refused are files that are too long, too deep or that grow through aliases, keys that occur twice,
and tags that would build anything but plain data.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from arena.config.errors import KeyPath, Problem, located, nearest
from arena.config.shipped import beside
from arena.core import ConfigError

MAX_BYTES = 1024 * 1024
MAX_VALUES = 100_000
MAX_DEPTH = 50


_PREFIX = "tag:yaml.org,2002:"
_SCALARS = {f"{_PREFIX}{name}" for name in ("str", "int", "float", "bool", "null")}


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalar types of the YAML 1.2 core schema."""


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_PREFIX}{_name}", re.compile(rf"^(?:{_pattern})$"), _first)


class _Dumper(yaml.SafeDumper):
    """SafeDumper that quotes a text which `_Loader` or YAML 1.1 would take for something else."""


_Dumper.yaml_implicit_resolvers = {
    first: [
        *_Loader.yaml_implicit_resolvers.get(first, ()),
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, ()),
    ]
    for first in {*_Loader.yaml_implicit_resolvers, *yaml.SafeDumper.yaml_implicit_resolvers}
}


_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # In a block, lines stand as they are; other breaks of lines are kept by escapes alone.
    style = '"' if _OTHER_BREAKS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar(f"{_PREFIX}str", text, style=style)


_Dumper.add_representer(str, _text)


def written(data: Any) -> str:
    """Plain data as YAML that `read` reads back as the same."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data, and the line (from 1) of every key and item by its path."""

    data: Any
    lines: dict[KeyPath, int]


def text_of(path: str | Path, noun: str) -> str:
    """The text of a YAML file; `noun` is what is expected in it. Raises ConfigError."""
    file = Path(path)
    try:
        if file.is_dir():
            raise ConfigError(f"{path}: a folder; expected a {noun} file (.yaml)")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file{_beside(file)}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from None


def _beside(file: Path) -> str:
    hint = nearest(file.name, beside(file))
    return hint if "did you mean" in hint else ""


def read(text: str, source: str, expected: str = "a tournament (name, games, ...)") -> Document:
    """The data of a YAML text; `source` is the file name that errors show, `expected` what they
    say should be in it.

    Raises ConfigError with every problem that was found.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError(f"{source}: longer than {MAX_BYTES // 1024} KiB; split the prompts off")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(located(source, [_syntax(error)])) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{source}: nested more than {MAX_DEPTH} deep") from error
    if node is None:
        raise ConfigError(f"{source}: the file is empty; expected {expected}")
    reader = _Reader()
    data = reader.value(node, (), 0)
    if reader.problems:
        raise ConfigError(located(source, reader.problems))
    return Document(data, reader.lines)


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    if "\\t" in what:
        hint = "; indent with spaces, not tabs"
    elif "mapping values are not allowed" in what:
        hint = "; put text that contains ': ' in quotes"
    return Problem((), f"not YAML: {what}{hint}", mark.line + 1 if mark else None)


class _Stop(Exception):
    """The document is hopeless: one problem was noted, the rest is not read."""


@dataclass(slots=True)
class _Reader:
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0

    def value(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        try:
            return self._value(node, path, depth)
        except _Stop:
            return None

    def _value(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        self.values += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if depth > MAX_DEPTH:
            self._stop(node, f"nested more than {MAX_DEPTH} deep")
        if self.values > MAX_VALUES:
            self._stop(node, f"more than {MAX_VALUES:,} values once its aliases are written out")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_PREFIX}seq":
            return [
                self._value(child, (*path, index), depth + 1)
                for index, child in enumerate(node.value)
            ]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[Hashable, Any]:
        if node.tag != f"{_PREFIX}map":
            self._stop(node, f"the tag {node.tag!r} is not allowed; write plain data")
        merged: dict[Hashable, Any] = {}
        own: dict[Hashable, Any] = {}
        for key_node, child in node.value:
            if key_node.tag == f"{_PREFIX}merge":
                for part in self._merged(child):
                    found = self._value(part, path, depth + 1)
                    merged = {**found, **merged}
                continue
            key = self._scalar(key_node)
            if not isinstance(key, str):
                self._note(key_node, f"expected a name before ':', found {key_node.value!r}")
                key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in own:
                first = self.lines[(*path, key)]
                self._note(key_node, f"the key {key!r} occurs twice; the first is in line {first}")
                continue
            self.lines[(*path, key)] = line
            own[key] = self._value(child, (*path, key), depth + 1)
        return {**merged, **own}

    def _merged(self, node: yaml.Node) -> Iterator[yaml.MappingNode]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                self._stop(node, "expected keys to merge after '<<:'")
            else:
                yield part

    def _scalar(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _SCALARS:
            self._stop(node, f"the tag {node.tag!r} is not allowed; write plain data")
        text = str(node.value)
        kind = node.tag.removeprefix(_PREFIX)
        try:
            if kind == "int":
                return int(text, 16) if text.startswith("0x") else int(text)
            if kind == "float":
                return self._finite(node, float(text))
        except ValueError:
            self._stop(node, f"{text[:40]!r} is not a number that can be read")
        if kind == "bool":
            return text.lower() == "true"
        if kind == "null":
            return None
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            self._note(node, "a NUL or half of a surrogate pair, which no database can hold")
        return text

    def _finite(self, node: yaml.Node, number: float) -> float:
        if number in (float("inf"), float("-inf")):
            self._note(node, f"{node.value!r} is too large for a number")
        return number

    def _note(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem((), message, node.start_mark.line + 1))

    def _stop(self, node: yaml.Node, message: str) -> NoReturn:
        self._note(node, message)
        raise _Stop
