"""A stream reads what is the same in its events once, and reads them as if each were the first."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from arena.llm.providers.lean.chat_stream import ChatPieces
from arena.llm.providers.lean.stream import LONGEST_EVENT, PlainStream
from arena.llm.providers.litellm_transport import MOST, Decoder
from arena.llm.providers.protocol import Answer

TEXTS = [
    *("The", " wolf", ' says "no"', ",", '","', ":", '":"', "\\", "\n", "", " é", "\u2028", "🐺"),
    *("choices", "delta", "content", "index", "role", "id", "arena-probe-text", "{", "[DONE]"),
    "and that is all.",
]
ENDINGS: list[dict[str, Any]] = [
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 20, "total_tokens": 27}},
]
WRITERS: dict[str, Callable[[Any], str]] = {
    "as Python does": json.dumps,
    "close together": partial(json.dumps, separators=(",", ":")),
    "in UTF-8": partial(json.dumps, ensure_ascii=False),
    "every letter escaped": lambda said: "".join(
        f"\\u{ord(one):04x}" if one == "h" else one for one in json.dumps(said)
    ),
}


def chunk(text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "chat-1",
        "created": 1_700_000_001,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        **more,
    }


def streamed(lines: list[str], *, end: str = "\n\n", learning: bool = True) -> Answer | None:
    """The answer of a stream of these events, in one piece."""
    stream = PlainStream(lambda: 3.0, ChatPieces() if learning else Forgetful())
    stream.hear("".join(f"data: {line}{end}" for line in lines).encode())
    return stream.answer({}, "")


class Forgetful(ChatPieces):
    """Reads every event as if it were the first."""

    def text_in(self, said: Any) -> str | None:
        return None


@pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
def test_every_text_is_read_as_if_it_came_first(write: Callable[[Any], str], end: str) -> None:
    events = [*map(chunk, TEXTS), *({**chunk(""), **ending} for ending in ENDINGS)]

    answer = streamed([write(event) for event in events], end=end)

    assert answer is not None
    assert answer.completion.text == "".join(TEXTS)
    assert answer == streamed([write(event) for event in events], end=end, learning=False)


@pytest.mark.parametrize(
    "hostile",
    [
        'b","role":"user',
        'b"},"finish_reason":"stop","logprobs":{"x":"',
        'b","tool_calls":"x',
        'b"}},{"index":1,"delta":{"content":"c',
        'b"',
        '"',
        "\\",
    ],
)
def test_a_text_that_would_end_its_place_is_read_as_the_event_that_it_makes(hostile: str) -> None:
    lines = [json.dumps(chunk(text)) for text in ("one", "two", "AAA", "three")]
    lines[2] = lines[2].replace("AAA", hostile)
    lines += [json.dumps({**chunk(""), **ending}) for ending in ENDINGS]

    assert streamed(lines) == streamed(lines, learning=False)


@pytest.mark.parametrize(
    "more",
    [
        {"usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}},
        {"obfuscation": "aBc"},
        {"service_tier": "flex"},
    ],
)
def test_what_comes_beside_a_text_is_read_each_time(more: dict[str, Any]) -> None:
    lines = [json.dumps(chunk(text, **more)) for text in ("one", "two", "three")]
    lines += [json.dumps({**chunk(""), **ending}) for ending in ENDINGS]

    answer = streamed(lines)

    assert answer is not None
    assert answer == streamed(lines, learning=False)


def test_a_text_after_the_end_is_odd_in_any_reading() -> None:
    lines = [json.dumps(chunk(text)) for text in ("one", "two")]
    lines += [json.dumps({**chunk(""), **ENDINGS[0]}), json.dumps(chunk("three"))]

    assert streamed(lines) is None


def test_the_place_of_a_text_is_known_only_where_another_is_read_there() -> None:
    # In the first, the letters of the text stand as they are in the name of a field alone.
    lines = [
        json.dumps(chunk("AAA")).replace("AAA", "\\u006dodel"),
        json.dumps(chunk("AAA")).replace("AAA", "\\u006dodel").replace('"model"', '"maker"'),
    ]
    lines += [json.dumps({**chunk(""), **ending}) for ending in ENDINGS]

    assert streamed(lines) == streamed(lines, learning=False)


class Counted(Decoder):
    """Counts what it has unpacked."""

    unpacked = 0

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        for piece in super().pieces(chunk):
            self.unpacked += len(piece)
            yield piece


@pytest.mark.parametrize(
    ("said", "most"),
    [(bytes(60_000), 2 * LONGEST_EVENT), (b":" + bytes(60_000) + b"\n", 2 * MOST)],
    ids=["of one event", "of many"],
)
def test_a_stream_is_not_unpacked_without_end(said: bytes, most: int) -> None:
    packed = zlib.compress(said * (64 * 2**20 // len(said)), wbits=31)
    stream = PlainStream(lambda: 3.0, ChatPieces())
    stream.decoder = decoder = Counted()
    stream.hear(packed)
    assert stream.odd
    assert decoder.unpacked < most


def test_a_line_without_end_is_not_looked_through_again_and_again() -> None:
    stream = PlainStream(lambda: 3.0, ChatPieces())
    for _ in range(3 * LONGEST_EVENT // 65_536):
        stream.hear(b"data:" + bytes(65_536))
    assert stream.odd
