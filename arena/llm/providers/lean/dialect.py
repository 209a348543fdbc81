"""How the providers of one protocol say a plain answer: what differs between them, and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from arena.llm.providers.litellm_transport import Decoder
from arena.llm.providers.protocol import Answer


class Stream(Protocol):
    """A streamed answer as it comes. `odd` says that it is not plain; `first_token_ms` are the
    milliseconds from the request to the first piece of the answer."""

    decoder: Decoder | None
    odd: bool
    first_token_ms: float | None

    @property
    def now(self) -> Callable[[], float]:
        """Gives the milliseconds since the request has left."""
        ...

    def hear(self, chunk: bytes) -> None:
        """Take bytes as they came."""
        ...

    def answer(self, headers: Mapping[str, str], prefix: str) -> Answer | None:
        """The answer, when all has come; None for a stream that is not plain, or not whole."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """The plain answers of one protocol.

    `answers` gives some of a model, each with other fields than the one before, and `events` one
    of them as the bytes of a stream of the type `streamed`. `read` reads a body, None for one that
    is not plain, and `stream` takes one that is streamed; both are told what a library puts in
    front of the name of the model that answers, or that whole name where an answer `names` none.
    Without a `stream` none is read.
    """

    name: str
    answers: Callable[[str], Sequence[Mapping[str, Any]]]
    read: Callable[[bytes, Mapping[str, str], str], Answer | None]
    events: Callable[[Mapping[str, Any]], bytes] | None = None
    stream: Callable[[Callable[[], float]], Stream] | None = None
    streamed: str = "text/event-stream"
    names: bool = True

    def body(self, answer: Mapping[str, Any]) -> bytes:
        """An answer as the bytes of a body."""
        return orjson.dumps(answer)
