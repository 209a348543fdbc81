"""Every dialect reads its plain answers alike, whole and streamed, and says of any other that it is
not plain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest

from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.litellm_learning import DIALECTS

STREAMED = [dialect for dialect in DIALECTS if dialect.stream is not None]
ODD = (None, True, -1, 0, 7, 1e300, "", "x", [], [1], ["x"], [[]], {}, {"x": 1}, {"type": []})


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_stream_says_what_a_whole_answer_does(dialect: Dialect) -> None:
    for answer in dialect.answers("a-model"):
        whole = dialect.read(dialect.body(answer), {}, "of/")
        assert whole is not None
        assert whole.model_answered == ("of/a-model" if dialect.names else "of/")
        if dialect.stream is None or dialect.events is None:
            continue
        for size in (1, 7, 10**6):
            stream = dialect.stream(lambda: 5.0)
            events = dialect.events(answer)
            for at in range(0, len(events), size):
                stream.hear(events[at : at + size])
            streamed = stream.answer({}, "of/")
            assert streamed is not None
            assert streamed.completion == whole.completion
            assert streamed.first_token_ms == 5.0


@pytest.mark.parametrize("dialect", STREAMED, ids=lambda dialect: dialect.name)
def test_half_a_stream_is_no_answer(dialect: Dialect) -> None:
    assert dialect.stream is not None
    assert dialect.events is not None
    events = dialect.events(dialect.answers("a-model")[0])
    for at in range(0, len(events) - len(events) // 3, 11):
        stream = dialect.stream(lambda: 5.0)
        stream.hear(events[:at])
        assert stream.answer({}, "") is None, events[:at]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_whatever_stands_in_an_answer_is_read_or_is_not_plain(dialect: Dialect) -> None:
    for answer in dialect.answers("a-model"):
        for changed in changes(dict(answer)):
            read = dialect.read(dialect.body(changed), {}, "")
            if read is not None:
                assert read.completion.text.strip(), changed
                assert json.dumps(read.response)
            if dialect.stream is not None and dialect.events is not None:
                try:
                    events = dialect.events(changed)
                except (AttributeError, KeyError, TypeError, ValueError, IndexError):
                    continue  # no stream can be made of it
                stream = dialect.stream(lambda: 5.0)
                stream.hear(events)
                stream.answer({}, "")


def changes(node: Any) -> Iterator[Any]:
    """The same with each of its parts replaced by something odd, or left out."""
    for name in [*node] if isinstance(node, dict) else range(len(node)):
        for odd in ODD:
            changed = deepcopy(node)
            changed[name] = odd
            yield changed
        changed = deepcopy(node)
        del changed[name]
        yield changed
        if isinstance(node[name], dict | list):
            for inner in changes(node[name]):
                changed = deepcopy(node)
                changed[name] = inner
                yield changed


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"{}", b"{", b"\xff", b"[" * 999])
def test_other_bodies_are_not_plain(dialect: Dialect, body: bytes) -> None:
    assert dialect.read(body, {}, "") is None
    if dialect.stream is not None:
        for chunk in (body, b"data: " + body + b"\n\n", b"event: x\ndata: " + body + b"\n\n"):
            stream = dialect.stream(lambda: 5.0)
            stream.hear(chunk)
            assert stream.answer({}, "") is None


def test_every_answer_is_json() -> None:
    for dialect in DIALECTS:
        for answer in dialect.answers("m"):
            assert orjson.loads(dialect.body(answer)) == answer
