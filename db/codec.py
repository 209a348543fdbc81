"""How texts and JSON values become small blobs, and what is new after a known prefix.

A blob is one tag byte and its content. Bits of the tag: 1 the content is a Zstandard frame
(without magic, with the first dictionary), 2 the text is JSON, 4 the JSON refers to the turn's
observation, 8 the text is what a copy from another text leaves over (`copied`), 16 the answer is
the turn's action; 32 and 64, always both, the last four bytes are the CRC-32 of the tag and the
content (behind the CRC-32 of what the text leaves out); 128 the frame is compressed with the second
dictionary. Blobs of earlier releases have the first, the earliest no checksum. Text is UTF-8 with
lone surrogates passed through, so that nothing is lost.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

import zstandard

from db.errors import DatabaseError
from db.primers import FIRST_PRIMER, SECOND_PRIMER, dictionary

COMPRESSED = 1
JSON = 2
REFERS = 4
COPIES = 8
ACTED = 16
# Two bits, so that one that flips does not turn a blob into one without a checksum.
CHECKED = 32 | 64
# Compressed with the second dictionary.
SECOND = 128
_MARKS = COMPRESSED | CHECKED | SECOND
_CRC = 4  # bytes
_TAGS = [bytes((tag,)) for tag in range(256)]
_SEEDS = [zlib.crc32(tag) for tag in _TAGS]

# Bytes of a text that a smaller blob may become: a longer one is stored as it is, so that nobody's
# blob of a few bytes takes all memory.
LONGEST_COMPRESSED = 32 * 2**20

REFERENCE = "$observation"
# A shorter observation costs less than its reference.
SHORTEST_REFERENCE = 32
# A shorter common beginning is not worth a link to the row before.
SHORTEST_PREFIX = 32
SHORTEST_COMPRESSED = 40
SHORTEST_COPY = 24
LONGEST_COPY = 8 * 2**20

_FORM = zstandard.FORMAT_ZSTD1_MAGICLESS
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(
    1, write_content_size=1, write_checksum=0, write_dict_id=0, format=_FORM
)
_FIRST, _SECOND = dictionary(FIRST_PRIMER), dictionary(SECOND_PRIMER)
# Ten times faster than digesting the dictionary for every blob.
_SECOND.precompute_compress(compression_params=_PARAMETERS)


def _plain(value: Any) -> Any:
    # What JSON has no word for: a set becomes a list, anything else its own text.
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return list(value)
    return "..." if value is ... else str(value)


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, default=_plain
)
# `JSONEncoder.encode` makes one of these for every value: a third of its time on small ones.
_make_encoder: Any = getattr(json.encoder, "c_make_encoder", None)
_PARTS: Any = _make_encoder and _make_encoder(
    None, _plain, encode_basestring, None, ":", ",", False, False, True
)


def to_json(value: Any) -> str:
    """`value` as compact JSON in its own key order; what JSON cannot say is said as text."""
    if _PARTS is None or isinstance(value, str | float):
        return _ENCODER.encode(value)
    return "".join(_PARTS(value, 0))


def checksum(text: str, before: int = 0) -> int:
    """The CRC-32 of a text, or of the text after one whose checksum is `before`."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"), before)


def copied(source: str, action: str, text: str) -> str | None:
    """What is left of `text` when its parts are copied from `source` and from `action` after it.

    In a game for several players everybody is shown the same words. The result is a line of
    numbers, then the literals: for each three numbers, `position length literal`, a part of
    source + action is followed by that many characters of literals. None when nothing is copied.
    """
    numbers: list[str] = []
    literals: list[str] = []
    position = length = begin = at = 0
    size = len(source)
    end = len(text) - SHORTEST_COPY
    # What is new to one player was new to the one before it not much earlier.
    oldest = max(0, size - 2 * len(text) - 1024)
    while at <= end:
        start = source.find(text[at : at + SHORTEST_COPY], oldest)
        if start < 0:
            # Whoever says the same again does it from the start of a line.
            at = text.find("\n", at) + 1
            if at == 0:
                break
            continue
        literals.append(text[begin:at])
        numbers.append(f"{position} {length} {at - begin}")
        position = start
        length = _common_length(source, start, text, at)
        begin = at = at + length
        if start + length == size:
            break
    if len(action) >= SHORTEST_COPY:
        at = text.find(action, begin)
        if at >= 0:
            literals.append(text[begin:at])
            numbers.append(f"{position} {length} {at - begin}")
            position, length = size, len(action)
            begin = at + length
    if not numbers:
        return None
    literals.append(text[begin:])
    numbers.append(f"{position} {length} {len(text) - begin}")
    return " ".join(numbers) + "\n" + "".join(literals)


def uncopied(source: str, stored: str) -> str:
    """The inverse of `copied`; `source` is its source and action together.

    Raises DatabaseError when the source is too short.
    """
    line, _, literals = stored.partition("\n")
    numbers = [int(number) for number in line.split(" ")]
    if sum(numbers[1::3]) > LONGEST_COMPRESSED:
        raise DatabaseError("a stored text copies more than any text of ours")
    parts: list[str] = []
    at = 0
    for position, length, literal in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        part = source[position : position + length]
        if len(part) != length:
            raise DatabaseError("a stored text copies from one that is not there: rows are missing")
        parts += (part, literals[at : at + literal])
        at += literal
    return "".join(parts)


class Codec:
    """Packs and unpacks blobs; for one thread at a time."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(
            compression_params=_PARAMETERS, dict_data=_SECOND
        )
        self._decompressors = {
            number: zstandard.ZstdDecompressor(dict_data=found, format=_FORM)
            for number, found in ((0, _FIRST), (SECOND, _SECOND))
        }

    def pack(self, text: str, flags: int = 0, *, beside: str | None = None) -> bytes:
        """The blob of a text; `flags` says what the text is. `beside` is a text that it leaves out,
        which is known when it is read, and covered by the same checksum."""
        data = text.encode("utf-8", "surrogatepass")
        flags |= CHECKED
        if SHORTEST_COMPRESSED <= len(data) <= LONGEST_COMPRESSED:
            small = self._compressor.compress(data)
            if len(small) < len(data):
                flags |= COMPRESSED | SECOND
                data = small
        return _TAGS[flags] + data + _sealed(flags, data, beside)

    def unpack(self, blob: bytes, *, beside: str | None = None) -> tuple[str, int]:
        """The text of a blob and its flags, `beside` as it was packed. Raises DatabaseError for a
        damaged one, and for one that would become longer than any text of ours."""
        if isinstance(blob, memoryview | bytearray):
            blob = bytes(blob)
        if not isinstance(blob, bytes):
            raise DatabaseError("a stored text is damaged: it is none at all")
        flags = blob[0] if blob else SECOND
        data = blob[1:]
        checked = flags & CHECKED
        if checked not in (0, CHECKED) or (flags & SECOND and not (flags & COMPRESSED and checked)):
            raise DatabaseError("a stored text is damaged: it begins as none does")
        if checked:
            data, seal = blob[1:-_CRC], blob[-_CRC:]
            if len(blob) <= _CRC or seal != _sealed(flags, data, beside):
                raise DatabaseError("a stored text is damaged: its checksum is another")
        if flags & COMPRESSED:
            data = self._decompressed(data, flags & SECOND)
        try:
            return data.decode("utf-8", "surrogatepass"), flags & ~_MARKS
        except UnicodeDecodeError as error:
            raise DatabaseError(f"a stored text is damaged: {error.reason}") from error

    def _decompressed(self, data: bytes, number: int) -> bytes:
        try:
            size = zstandard.get_frame_parameters(data, format=_FORM).content_size
            if not size <= LONGEST_COMPRESSED:
                raise DatabaseError(
                    f"a stored text would be longer than {LONGEST_COMPRESSED / 2**20:g} MiB: no "
                    "compressed text is"
                )
            whole: bytes = self._decompressors[number].decompress(data, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise DatabaseError(f"a stored text is damaged: {error}") from error
        return whole


def _sealed(flags: int, data: bytes, beside: str | None) -> bytes:
    if beside is None:
        return zlib.crc32(data, _SEEDS[flags]).to_bytes(_CRC, "big")
    return zlib.crc32(data, zlib.crc32(_TAGS[flags], checksum(beside))).to_bytes(_CRC, "big")


def with_references(messages: Any, observation: str | None) -> tuple[Any, int]:
    """The messages with the observation by reference, and the flags of the result.

    A content that holds the observation becomes `{"$observation": [before, after]}`. Nothing is
    replaced when a content is an object, so that none is ever mistaken for a reference; one of
    parts stays as it is.
    """
    if observation is None or len(observation) < SHORTEST_REFERENCE:
        return messages, JSON
    replaced: list[Any] = []
    refers = False
    for message in messages:
        content = message.get("content") if isinstance(message, Mapping) else {}
        if isinstance(content, Mapping):
            return messages, JSON
        if isinstance(content, str) and len(content) >= len(observation):
            if content.endswith(observation):
                at = len(content) - len(observation)
            else:
                at = content.find(observation)
            if at >= 0:
                refers = True
                around = [content[:at], content[at + len(observation) :]]
                message = {**message, "content": {REFERENCE: around}}
        replaced.append(message)
    return (replaced, JSON | REFERS) if refers else (messages, JSON)


def without_references(messages: Any, observation: str | None) -> Any:
    """The inverse of `with_references`."""
    if observation is None:
        raise DatabaseError("messages refer to an observation that is not stored")
    whole = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, dict):
            before, after = content[REFERENCE]
            message = {**message, "content": before + observation + after}
        whole.append(message)
    return whole


def answer_text(text: str | None, response: Any, *, acted: bool = False) -> str:
    """The answer and the response around it as one text, the answer once.

    Three lines: where the answer stands in the response's JSON, the answer, the rest. The second
    is empty when the answer is the turn's action (`acted`).
    """
    said = "null" if text is None else encode_basestring(text)
    rest = to_json(response)
    at = -1 if text is None else rest.find(said)
    kept = "" if acted else said
    if at < 0:
        return f"-\n{kept}\n{rest}"
    return f"{at}\n{kept}\n{rest[:at]}{rest[at + len(said) :]}"


def split_answer(stored: str, action: str | None) -> tuple[str | None, Any]:
    """The inverse of `answer_text`: (text, response); `action` is the turn's."""
    at, said, rest = stored.split("\n", 2)
    if not said:
        said = encode_basestring(action or "")
    if at != "-":
        rest = rest[: int(at)] + said + rest[int(at) :]
    return json.loads(said), json.loads(rest)


@dataclass(frozen=True, slots=True)
class Known:
    """A text that the reader of the next row will have, and its checksum."""

    text: str
    checksum: int


def _common_length(one: str, start: int, other: str, at: int) -> int:
    # How many characters are the same from `start` in the one and from `at` in the other.
    high = min(len(one) - start, len(other) - at)
    if one[start : start + high] == other[at : at + high]:
        return high
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        if one[start + low : start + middle] == other[at + low : at + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def linked(checksum: int) -> bytes:
    """A checksum as the rows keep it."""
    return checksum.to_bytes(4, "big")


def beyond(known: Known | None, text: str) -> tuple[int, bytes | None, str, Known]:
    """What is new in `text`: (prefix_len, prefix_hash, tail, what is known afterwards)."""
    if known is None:
        return 0, None, text, Known(text, checksum(text))
    size = len(known.text)
    if size >= SHORTEST_PREFIX and text.startswith(known.text):
        if size == len(text):
            return size, linked(known.checksum), "", known
        tail = text[size:]
        return size, linked(known.checksum), tail, Known(text, checksum(tail, known.checksum))
    size = _common_length(known.text, 0, text, 0)
    if size < SHORTEST_PREFIX:
        return 0, None, text, Known(text, checksum(text))
    prefix = checksum(text[:size])
    tail = text[size:]
    return size, linked(prefix), tail, Known(text, checksum(tail, prefix))


def joined(known: str | None, prefix_len: int, prefix_hash: bytes | None, tail: str) -> str:
    """The text of a row from the text before it. Raises DatabaseError for a broken chain."""
    if prefix_len == 0 and prefix_hash is None:
        return tail
    prefix = (known or "")[:prefix_len]
    if len(prefix) != prefix_len or linked(checksum(prefix)) != bytes(prefix_hash or b""):
        raise DatabaseError("a stored text does not continue the one before it: rows are missing")
    return prefix + tail
