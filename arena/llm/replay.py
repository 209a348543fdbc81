"""Serves one turn's recorded replies in order, checked by request hash; asks no model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from arena.core import Completion, DivergenceError, Message, ModelSpec
from arena.llm.request import call_seed, request_hash, sendable, stored_request
from arena.llm.scripted.provider import NAME


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that was answered: what was sent, its hash, and what came back."""

    call_number: int
    request_hash: str
    messages: Sequence[Message]
    text: str
    finish_reason: str | None


class ReplayLLM:
    """An agent's handle for one turn of a record (`arena.core.LLM`).

    `place` names the turn in messages; `seed` is the turn's, as when it was played.
    """

    def __init__(
        self, model: ModelSpec, calls: Sequence[RecordedCall], *, seed: int, place: str
    ) -> None:
        self._model = model
        self._calls = {call.call_number: call for call in calls}
        self._seed = seed
        self._place = place
        self._asked = 0

    async def complete(self, messages: Sequence[Message]) -> Completion:
        """The recorded answer. Raises DivergenceError when the record has none or the request is
        another one."""
        number, self._asked = self._asked, self._asked + 1
        call = self._calls.get(number)
        if call is None:
            raise DivergenceError(f"{self._place}: call {number} was asked and is not on record")
        scripted = self._model.litellm_model.startswith(f"{NAME}/")
        request = stored_request(self._model, call_seed(self._seed, number) if scripted else None)
        sent = sendable(messages)
        if request_hash(self._model.litellm_model, sent, request) != call.request_hash:
            raise DivergenceError(
                f"{self._place}, call {number}: {_difference(call.messages, sent)}"
            )
        return Completion(call.text, call.finish_reason)

    def unasked(self) -> int:
        """Recorded calls that were not asked for."""
        return len(self._calls) - self._asked


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
