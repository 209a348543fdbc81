"""Tells a provider's failure that comes inside a response whose status is 200.

The status is sent before the model has answered, so a router or a server that loses its model later
can only say so in the answer: in the reason why it ended, or in an error beside an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LONGEST = 2_000

# Why an answer ended, where that is no way for an answer to end, whatever was said before.
_BROKEN = re.compile(
    r"err(?:or)?(?:$|[^a-z])|fail|abort|cancel|interrupt|network|time_?d?_?out|insufficient"
    r"|unavailable|overload|exception|internal|crash|disconnect|capacity|shut_?down|preempt|killed"
)
# A limit or a filter is worded as an error by some.
_NO_FAILURE = re.compile(r"limit|length|token|toxic|filter|safety|moderation|sensitive|refus")
# How an answer ends that says nothing, without being a failure.
_ENDED = re.compile(
    r"stop|(?:^|_)end|eos|length|max|token|limit|tool|function|filter|safety|content|refus|block"
    r"|prohibit|spii|recitation|complete|finished|done|guardrail|sensitive|flag|pause|moderat|toxic"
    r"|language|armor|policy|context"
)
_WITHHELD = re.compile(
    r"toxic|filter|safety|moderat|sensitive|refus|block|prohibit|spii|recitation|guardrail|flag"
    r"|content|policy|armor"
)


_MESSAGES = ("message", "msg", "status_msg", "detail", "error")
_CODES = ("code", "status", "status_code", "type")


class ProviderFailure(Exception):
    """An answer with a status of 200 that says that there is none. `code` is what its error was
    called, a status or a word; None where nothing was called."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message[:_LONGEST])
        self.code = code


@dataclass(slots=True)
class Heard:
    """What a response said on the wire, beside what a library makes of it.

    `told` is who answers. `reasons` are why it ended, `native` the same in the words of a provider
    behind a router; `error` is an error beside or in a choice, `fault` one in the place of all
    choices. `choices` says that it had some; `no_tokens` that its answer is said to have had none.
    `logprobs` are its tokens and the logarithm of the probability of each, `token_ids` their
    numbers. `events` says that it was a stream of events, `done` that the stream said it was over,
    `bare` that it is read as bare lines of JSON (None before it has begun), `choice` the index of
    the choice that is read. `finish_reason` is why it ended, where a library does not say it.
    """

    told: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    native: list[str] = field(default_factory=list)
    error: Any = None
    choices: bool = False
    no_tokens: bool = False
    fault: Any = None
    events: bool = False
    done: bool = False
    finish_reason: str | None = None
    bare: bool | None = None
    choice: int | None = None
    logprobs: list[tuple[str, float | None]] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether a stream of events came to its end."""
        return self.done or bool(self.reasons or self.native)

    def failure(self, *, silent: bool) -> ProviderFailure | None:
        """What went wrong, None where nothing did. A `silent` answer has no text, no thoughts, no
        call of a tool and no refusal."""
        if self.fault is not None:
            message, code = _said(self.fault)
            return ProviderFailure(message or "the provider sent an error in a 200", code)
        reason = next(filter(_broken, self.reasons), None)
        if reason is None and silent:
            reasons = self.reasons + self.native
            reason = next((one for one in reasons if _unended(one)), None)
            withheld = any(_WITHHELD.search(one.lower()) for one in reasons)
            if reason is None and (self.error is None or withheld):
                return None if withheld else self._nothing()
        if reason is None and not silent:
            return None
        message, code = _said(self.error)
        ended = "" if reason is None else f" (finish_reason {reason[:100]!r})"
        said = message or "the provider failed in the middle of the answer"
        return ProviderFailure(f"{said}{ended}", code)

    def _nothing(self) -> ProviderFailure | None:
        """An answer without a word, for which nothing was computed, or which nobody ended."""
        if self.no_tokens:
            return ProviderFailure("the answer is empty, and took no tokens")
        if (self.choices or self.events) and not self.reasons:
            return ProviderFailure("the answer is empty, and has no finish_reason")
        return None


def _broken(reason: str) -> bool:
    lower = reason.lower()
    return bool(_BROKEN.search(lower)) and not _NO_FAILURE.search(lower)


def _unended(reason: str) -> bool:
    lower = reason.lower()
    return _broken(reason) or "malformed" in lower or not _ENDED.search(lower)


def _said(error: Any) -> tuple[str, str | None]:
    """What an error says, and what it is called."""
    if isinstance(error, str):
        return error, None
    if not isinstance(error, Mapping):
        return "", None
    message = next((error[name] for name in _MESSAGES if error.get(name)), "")
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    called = next((error[name] for name in _CODES if error.get(name)), None)
    said = " ".join(str(part)[:_LONGEST] for part in (message, raw) if part)
    return said, None if called is None else str(called)[:100]
