"""What is on record of a turn's calls, and whether a call asked now is the recorded one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from arena.core import Completion, DivergenceError, Message, Usage

TIME_LIMIT = "TimeLimit"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One attempt: what was sent, its hash, and what came back.

    `answered` is false for a failure and for an attempt whose end was not seen; `seconds` is how
    long an answer took, `error_class` what went wrong.
    """

    call_index: int
    call_number: int
    request_hash: str
    messages: Sequence[Message]
    answered: bool
    text: str = ""
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    refused: bool = False
    seconds: float = 0.0
    error_class: str | None = None

    def completion(self) -> Completion:
        """The answer as the agent was given it."""
        return Completion(self.text, self.finish_reason, self.usage, self.refused)


def check_same(
    recorded: Sequence[RecordedCall], digest: str, sent: Sequence[Message], place: str
) -> None:
    """Raises DivergenceError, with the first difference, when the request that is about to be
    made is not the recorded one."""
    for call in recorded:
        if call.request_hash != digest:
            raise DivergenceError(
                f"{place}, call {call.call_number}: {_difference(call.messages, sent)}"
            )


def _difference(recorded: Sequence[Message], sent: Sequence[Message]) -> str:
    for index, (before, now) in enumerate(zip_longest(recorded, sent)):
        if before != now:
            where = f"message {index}"
            if before is None or now is None:
                return f"{len(sent)} messages are sent, {len(recorded)} are on record"
            return f"{where} differs {text_difference(before['content'], now['content'])}"
    return "the messages are the same, the parameters of the request differ"


def text_difference(recorded: str, now: str) -> str:
    """Where two texts differ first, with a little of both."""
    at = next(
        (i for i, (a, b) in enumerate(zip(recorded, now, strict=False)) if a != b),
        min(len(recorded), len(now)),
    )
    start = max(0, at - 20)
    was, is_ = recorded[start : at + 40], now[start : at + 40]
    return f"at character {at}: {json.dumps(was)} on record, {json.dumps(is_)} now"
