"""Reads the JSON that models write: cut, commented, in single quotes, with prose around it.

Every text is read in time proportional to its length; what cannot be made out is left out. It is
ours because a replay depends on it: the same answer must be read the same for ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

_LONGEST = 20_000  # characters that are looked at
_DEEPEST = 16
_OBJECTS = 16  # places at which an object may begin that are tried

_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?(?:\*/|\Z)|\#[^\n]*)+", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?(?=\s*(?:[,}\]\n/#]|\Z))")
_BARE = re.compile(r"[^,:{}\[\]\n\"]+")
_KEY = re.compile(r"[^\s,:={}\[\]\"']+")
_CLOSERS = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CONSTANTS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "nan": None,
    "undefined": None,
}
# A string that nobody closed ends where the next field begins.
_NEXT_FIELD = re.compile(r"\n\s*[\"'“]?\w+[\"'”]?\s*:\s*[\[{\"'“\d]")
_ENDS = re.compile(r"\s*(?:[,}\]:=]|\Z|//|\n\s*[\"'“}\]]|[\"'“]\w+[\"'”]\s*[:=])")


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object in a text, from `start` to `end`; `whole` says that it was closed."""

    value: dict[str, Any]
    start: int
    end: int
    whole: bool


def find_object(text: str, fields: Collection[str]) -> FoundObject | None:
    """The first object in a text that has any of these fields, in letters of any case; None where
    there is none."""
    text, at = text[:_LONGEST], -1
    for _ in range(_OBJECTS):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        reader = _Reader(text, at)
        value = reader.value(0)
        if isinstance(value, dict) and any(name.lower() in fields for name in value):
            return FoundObject(value, at, reader.at, reader.whole)
    return None


class _Reader:
    """Reads one value from a place of a text on."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        self.whole = True
        self._surrogates = False

    def value(self, depth: int) -> Any:
        self._blank()
        char = self._text[self.at : self.at + 1]
        if char in {"{", "["} and depth >= _DEEPEST:
            self.at, self.whole = len(self._text), False
            return None
        if char == "{":
            return self._object(depth)
        if char == "[":
            return self._array(depth)
        if char and char in _CLOSERS:
            return self._string(_CLOSERS[char])
        if (number := _NUMBER.match(self._text, self.at)) is not None:
            self.at = number.end()
            return float(number[0]) if re.search("[.eE]", number[0]) else int(number[0][:300])
        return self._bare()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        while True:
            self._blank(",")
            char = self._text[self.at : self.at + 1]
            if char in {"", "}", "]"}:
                self._close(char)
                return found
            key = self._key(char)
            self._blank()
            if not self._text.startswith((":", "="), self.at):
                if key:
                    continue
                # Braces within braces, or the rest of a sentence.
                self.whole = False
                return found
            self.at += 2 if self._text.startswith("=>", self.at) else 1
            self._blank()
            if self._text[self.at : self.at + 1] in {"", ",", "}", "]"}:
                found.setdefault(key, None)
                continue
            found[key] = self.value(depth + 1)

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while True:
            self._blank(",")
            char = self._text[self.at : self.at + 1]
            if char in {"", "]", "}"}:
                if char != "}":
                    self._close(char)
                return found
            before = self.at
            found.append(self.value(depth + 1))
            if self.at == before or self._text.startswith(":", self.at):
                self.at += 1

    def _close(self, char: str) -> None:
        self.at += len(char)
        self.whole = self.whole and bool(char)

    def _key(self, char: str) -> str:
        if char and char in _CLOSERS:
            return str(self._string(_CLOSERS[char]))
        found = _KEY.match(self._text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def _string(self, closer: str) -> str:
        text = self._written(closer)
        if self._surrogates:
            self._surrogates = False
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def _written(self, closer: str) -> str:
        text, pieces = self._text, list[str]()
        self.at += 1
        special = re.compile(rf"[\\\n{re.escape(closer)}]")
        while True:
            found = special.search(text, self.at)
            if found is None:
                pieces.append(text[self.at :])
                self.at, self.whole = len(text), False
                return "".join(pieces).rstrip()
            pieces.append(text[self.at : found.start()])
            self.at = found.end()
            if found[0] == "\\":
                pieces.append(self._escape())
            elif found[0] == "\n":
                if _NEXT_FIELD.match(text, found.start()):
                    return "".join(pieces).rstrip(" ,")
                pieces.append("\n")
            elif _ENDS.match(text, self.at):
                return "".join(pieces)
            else:
                # A quotation inside of the text, which nobody escaped.
                pieces.append(found[0])

    def _escape(self) -> str:
        char = self._text[self.at : self.at + 1]
        self.at += len(char)
        if char == "u":
            code = self._text[self.at : self.at + 4]
            if re.fullmatch(r"[0-9a-fA-F]{4}", code):
                self.at += 4
                self._surrogates = self._surrogates or code[0] in "dD"
                return chr(int(code, 16))
        return _ESCAPES.get(char, char)

    def _bare(self) -> Any:
        found = _BARE.match(self._text, self.at)
        if found is None:
            self.at += 1
            return None
        self.at = found.end()
        word = found[0].strip()
        return _CONSTANTS.get(word.lower(), word)

    def _blank(self, also: str = "") -> None:
        while True:
            found = _BLANK.match(self._text, self.at)
            if found is not None:
                self.at = found.end()
            if not also or not self._text.startswith(also, self.at):
                return
            self.at += 1
