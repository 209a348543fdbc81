"""Reads keys from the environment, and takes them out of text that is stored or shown.

A key is known by its value, in every writing in which an error repeats one (percent-encoded,
escaped, in base64 or hex, with stars in its middle), and by the shapes that keys have.
"""

from __future__ import annotations

import os
import re
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import parse_qsl, unquote, urlsplit

from arena.core import ModelSpec, UsageError
from arena.core.secret_names import referred
from arena.llm.key_files import read_key

HIDDEN = "[secret]"

# Shorter values are too common in ordinary text to be taken for keys.
_SHORTEST = 6
# So much of the beginning or the end of a key, and no other word, is the key cut off; so much from
# anywhere in it is a piece of it.
_CUT_OFF = 8
_PIECE = 12

_NAMES = re.compile(
    r"KEY(?!BOARD)|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH(?!OR)(?!_SOCK)", re.IGNORECASE
)

_PARAMETER = r"[\w-]*(?:key|token|secret|passw(?:or)?d|signature|credential)|sig|auth|pwd"

_SHAPES = (
    re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"(?i)(basic\s+)(?=[a-z+/]*[0-9=])[A-Za-z0-9+/=]{8,}"),
    re.compile(
        r"(?i)((?:api[-_ ]?key|x-api-key|access[-_ ]?token)\\*[\"']?\s*[:=]\s*\\*[\"']?)"
        r"[^\s\"',;&}\\]{6,}"
    ),
    re.compile(r"(?i)((?:provided|key|token):\s*)[A-Za-z0-9_-]{2,}\*{3,}[A-Za-z0-9_-]*"),
    re.compile(rf"(?i)([?&](?:{_PARAMETER})=)[^&\s\"'<>\\]+"),
    re.compile(r"(://)[^/\s:@\"'<>]+(?::[^/\s@\"'<>]*)?(?=@)"),
    re.compile(r"()\b(?:sk|pk|rk|gsk|xai|hf|r8|AIza|key)[-_][A-Za-z0-9_-]{8,}"),
    re.compile(r"()\bAIza[A-Za-z0-9_-]{20,}"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"),
)

# What stands for the middle of a word that is not shown whole, and the ends that are shown.
_MASK = re.compile(r"\*{2,}|\.{2,}|…|•{2,}|\[\.{3}\]|<redacted>")
_START = re.compile(r"[\w+/=-]*\Z")
_END = re.compile(r"[\w+/=-]*")
_LONGEST_END = 64


def scrub(text: str, values: Iterable[str | None] = ()) -> str:
    """`text` without the given values, the values of key-like environment variables, or anything
    of the shape of a key (bearer tokens, `sk-...`, credentials in an address)."""
    given = {value for value in values if value}
    known = given | {value for name, value in os.environ.items() if _NAMES.search(name)}
    known = {value for value in known if len(value) >= _SHORTEST}
    cut = {value for value in known if value in given or _looks_like_a_key(value)}
    spans: list[tuple[int, int]] = []
    for reading in _readings(text):
        for value in known:
            spans += (reading.span(*found) for found in _whole(reading.text, value))
        for value in cut:
            if len(value) >= 2 * _CUT_OFF:
                spans += (reading.span(*found) for found in _parts(reading.text, value))
    if spans:
        text = _hidden(text, spans)
    for shape in _SHAPES:
        text = shape.sub(rf"\g<1>{HIDDEN}", text)
    return text


def scrubbed_traceback(error: BaseException, values: Iterable[str | None] = ()) -> str:
    """The traceback of an error and of all behind it, without keys."""
    return scrub("".join(traceback.format_exception(error)), values)


def key_of(model: ModelSpec) -> str | None:
    """The key of a model, read now, or None where it names no variable and no file. Raises
    UsageError when the variable is not set, or either holds what no header can carry."""
    if model.api_key_file is not None:
        return read_key(model.api_key_file, f"model {model.name!r}")
    if model.api_key_env is None:
        return None
    value = os.environ.get(model.api_key_env)
    if not value:
        raise UsageError(
            f"model {model.name!r} needs a key in the environment variable {model.api_key_env}, "
            f"which is not set; type: export {model.api_key_env}=..."
        )
    check_key(model, model.api_key_env, value)
    return value


def check_key(model: ModelSpec, variable: str, value: str) -> None:
    """Raises UsageError for a key that no header can carry: of several lines, with a space, with
    letters that are not ASCII."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError(
            f"the environment variable {variable} holds a line break, a space or a letter that no "
            f"key has, so that it cannot be sent; model {model.name!r} needs it: copy the key "
            f"again, and type: export {variable}=..."
        )


def headers_of(model: ModelSpec) -> dict[str, str]:
    """The headers of a model's own, with the values of their variables, read now. Raises UsageError
    when a variable is not set or holds what no header can."""
    found: dict[str, str] = {}
    for name, written in model.params.get("extra_headers", {}).items():
        variable = referred(written) or ""
        value = os.environ.get(variable, "").strip()
        if not value:
            raise UsageError(
                f"model {model.name!r} needs the header {name} in the environment variable "
                f"{variable}, which is not set; type: export {variable}=..."
            )
        if not value.isprintable() or not value.isascii():
            raise UsageError(
                f"the environment variable {variable} holds a line break or a letter that no "
                f"header can have; model {model.name!r} needs it for {name}"
            )
        found[name] = f"{written.partition('$')[0]}{value}"
    return found


def secrets_of(model: ModelSpec) -> tuple[str, ...]:
    """Every value that only the model's provider may see: its key, the values of its headers, the
    credentials and the parameters in its address."""
    headers = model.params.get("extra_headers")
    written = headers.values() if isinstance(headers, Mapping) else ()
    names = [model.api_key_env, *map(referred, written)]
    values = [os.environ.get(name, "").strip() for name in names if name is not None]
    if model.api_key_file is not None:
        # What cannot be read was never sent.
        with suppress(UsageError):
            values.append(read_key(model.api_key_file, ""))
    return tuple(value for value in (*values, *_in_address(model.api_base or "")) if value)


def _in_address(address: str) -> Iterator[str]:
    parts = urlsplit(address)
    userinfo, at, _ = parts.netloc.rpartition("@")
    if at:
        name, colon, password = userinfo.partition(":")
        # Without a password the name is one.
        yield from {password, unquote(password)} if colon else {name, unquote(name)}
    for _, value in parse_qsl(parts.query):
        if len(value) >= _CUT_OFF:
            yield value


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text with its escapes read, and where each of its characters stands in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.starts[start], self.ends[end - 1]

    def again(self) -> _Reading | None:
        """With the escapes read that are left in it; None where there are none."""
        chars: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for found in _ESCAPE.finditer(self.text):
            chars += self.text[at : found.start()]
            starts += self.starts[at : found.start()]
            ends += self.ends[at : found.start()]
            at = found.end()
            chars.append(_character(found))
            start, end = self.span(found.start(), at)
            starts.append(start)
            ends.append(end)
        if not at:
            return None
        chars += self.text[at:]
        return _Reading("".join(chars), [*starts, *self.starts[at:]], [*ends, *self.ends[at:]])


def _readings(text: str) -> Iterator[_Reading]:
    """The text as it is, and with the escapes of one to three writers read: JSON within JSON is
    common, an address within it is too."""
    reading: _Reading | None = _Reading(text, range(len(text)), range(1, len(text) + 1))
    for _ in range(4):
        if reading is None:
            return
        yield reading
        reading = reading.again()


_ESCAPE = re.compile(
    r"%(?P<percent>[0-9a-fA-F]{2})|\\u(?P<unit>[0-9a-fA-F]{4})|\\x(?P<byte>[0-9a-fA-F]{2})"
    r"|\\(?P<plain>[\"'\\/])|&(?P<entity>amp|lt|gt|quot|apos);|&\#(?P<decimal>\d{1,6});"
    r"|&\#x(?P<hex>[0-9a-fA-F]{1,5});"
)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def _character(found: re.Match[str]) -> str:
    kind, written = found.lastgroup, found[found.lastgroup or 0]
    if kind == "plain":
        return written
    if kind == "entity":
        return _ENTITIES[written]
    return chr(int(written, 10 if kind == "decimal" else 16))


def _literals(value: str) -> Iterator[str]:
    """The value, and what codings make of it that leave none of its characters."""
    yield value
    raw = value.encode("utf-8", "surrogatepass")
    if not value.isascii():
        # Percent-encoding is of the bytes.
        yield raw.decode("latin-1")
    yield raw.hex()
    yield raw.hex().upper()
    for before in range(3):
        # What base64 makes of the value depends on how many bytes stand before it, modulo 3; the
        # letters at both ends depend on the neighbours too.
        first, last = (0, 2, 3)[before], 8 * (before + len(raw)) // 6
        for encode in (b64encode, urlsafe_b64encode):
            letters = encode(b"\0" * before + raw).decode()[first:last]
            if len(letters) >= _CUT_OFF:
                yield letters


def _whole(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Where the value is, in any coding."""
    for form in _literals(value):
        yield from _found(text, form)


def _found(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    at = text.find(wanted)
    while at >= 0:
        yield at, at + len(wanted)
        at = text.find(wanted, at + 1)


def _parts(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Where a piece of the value is, cut off, and what is left of it without its middle."""
    for first in range(len(value) - _PIECE + 1):
        yield from _found(text, value[first : first + _PIECE])
    yield from _found(text, value[-_CUT_OFF:])
    at = text.find(value[:_CUT_OFF])
    while at >= 0:
        shown = zip(text[at : at + len(value)], value, strict=False)
        end = at + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], shown))
        yield at, end
        at = text.find(value[:_CUT_OFF], end)
    for mask in _MASK.finditer(text):
        before = text[max(0, mask.start() - _LONGEST_END) : mask.start()]
        start = before[_START.search(before).start() :]  # type: ignore[union-attr]
        rest = _END.match(text, mask.end(), mask.end() + _LONGEST_END)[0]  # type: ignore[index]
        if len(start) + len(rest) >= 3 and value.startswith(start) and value.endswith(rest):
            yield mask.start() - len(start), mask.end() + len(rest)


def _hidden(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start > at or not pieces:
            pieces += text[at:start], HIDDEN
        at = max(at, end)
    return "".join([*pieces, text[at:]])


def _looks_like_a_key(value: str) -> bool:
    return re.fullmatch(r"[\w+=.~-]*\d[\w+=.~-]*", value) is not None
