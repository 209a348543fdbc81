"""One attempt at a model as a report tells it: what was sent, what came back, what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.core import Usage
from arena.llm.failures.kinds import RULES, FaultKind
from arena.llm.failures.on_record import kind_on_record
from arena.llm.recorded import TIME_LIMIT, completion_of
from arena.llm.thoughts import read, recorded_thoughts
from db.models.calls import ORPHANED
from db.queries.transcript import CallRow, ToolCallRow, TurnRow

_ORPHANED = (
    "The run was killed while this call was in flight, so its answer is not known: the command "
    "that resumes the run asks again."
)
_TIME_LIMIT = (
    "The turn's time was over: raise `time_limit` in the tournament's `environment`, or ask for "
    "shorter answers."
)
# Kinds that say too little by their own names.
_NAMED = {
    FaultKind.SERVER: "server error",
    FaultKind.HOST: "unknown host",
    FaultKind.LOST: "connection lost",
    FaultKind.MALFORMED: "malformed answer",
    FaultKind.CUT: "answer cut off",
    FaultKind.OVERSIZED: "oversized answer",
    FaultKind.CONTEXT: "prompt too long",
    FaultKind.ALLOWANCE: "request too large",
    FaultKind.REQUEST: "request refused",
    FaultKind.KEY: "key refused",
    FaultKind.CREDIT: "out of credit",
    FaultKind.MODEL: "unknown model",
}


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of a prompt. Its first `known` characters were in an earlier prompt of the same
    player, or it had seen them in an earlier turn; `observation` says that it is what the player
    has seen. `tool_calls` are those that an answer of the model's asked for, as in
    `vote({"player": 3})`."""

    role: str
    text: str
    known: int = 0
    observation: bool = False
    tool_calls: Sequence[str] = ()

    @property
    def new(self) -> str:
        """What was sent for the first time."""
        return self.text[self.known :]


@dataclass(frozen=True, slots=True)
class CallReport:
    """One attempt at a model. Where it told `thoughts`, in its answer or beside it, `said` is the
    answer without them. `charged` is what counts against a budget, in dollars, where that is not
    the `cost`; a `cached` answer was on record. `tool_calls` are as in `vote({"player": 3})`.
    `cached_tokens` of the prompt were cached by the provider; `shared` is how much of it an earlier
    answered call of the player began with, from 0 to 1; `answered_by` is who answered.
    `lag_ms` is how long it waited for the process that made it, beside the provider's time.

    A failed one has an `error`, the `failure` as a word for its kind and the `advice` what to do,
    None where the record says too little. `request` and `response` are the stored bodies without
    the messages, None where they are not kept."""

    model: str
    call_number: int
    attempt: int
    messages: Sequence[SentMessage]
    answer: str | None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    response_tokens: int | None = None
    cost: float | None = None
    total_response_time_ms: float | None = None
    error: str | None = None
    charged: float | None = None
    cached: bool = False
    said: str | None = None
    thoughts: str | None = None
    tool_calls: Sequence[str] = ()
    cached_tokens: int | None = None
    shared: float | None = None
    answered_by: str | None = None
    first_token_ms: float | None = None
    lag_ms: float | None = None
    reasoning_tokens: int | None = None
    failure: str | None = None
    advice: str | None = None
    request: Any = None
    response: Any = None


@dataclass(frozen=True, slots=True)
class ToolReport:
    """One call of a tool in a turn: what was asked of it and what the model was told, None for one
    that was being run when the process died; `error` is of what kind a failure is. `call_number`
    is the question to the model that asked for it."""

    call_number: int
    function: str
    arguments: str
    result: str | None
    error: str | None = None
    took_ms: float | None = None

    @property
    def made(self) -> str:
        """The call as it is written in a line."""
        return f"{self.function}({'' if self.arguments == '{}' else self.arguments})"


def tool_report(row: ToolCallRow) -> ToolReport:
    """The report of a call of a tool from its row."""
    return ToolReport(
        row.call_number, row.function, row.arguments, row.result, row.error, row.took_ms
    )


class PromptsSent:
    """What the players of a game have been sent so far."""

    def __init__(self) -> None:
        self._sent: set[tuple[int, str, str]] = set()

    def messages(self, turn: TurnRow, messages: Iterable[Any]) -> list[SentMessage]:
        """The messages of the next call, as far as each was sent before."""
        return [self._message(turn, message) for message in messages]

    def _message(self, turn: TurnRow, message: Any) -> SentMessage:
        if not isinstance(message, dict):
            return SentMessage("?", text_of(message))
        role, content = str(message.get("role", "?")), _content(message.get("content"))
        if content == turn.observation and turn.new != turn.observation:
            new = text_of(turn.new)
            known = len(content) - len(new) if content.endswith(new) else 0
            return SentMessage(role, content, known, observation=True)
        key = (turn.player_index, role, content)
        known = len(content) if key in self._sent else 0
        self._sent.add(key)
        return SentMessage(role, content, known, tool_calls=_asked_for(message.get("tool_calls")))


def call_report(
    turn: TurnRow,
    call: CallRow,
    sent: PromptsSent,
    alike: Mapping[tuple[int, int], float | None],
) -> CallReport:
    """The report of an attempt, after those before it in the game; `alike` is `shared` by
    turn_number and call_index."""
    thoughts = recorded_thoughts(call.text, call.response)
    failure, advice = failure_of(call.error_class, call.error_status, call.error_message)
    return CallReport(
        model=call.model_asked,
        call_number=call.call_number,
        attempt=call.attempt,
        messages=sent.messages(turn, call.messages or ()),
        answer=call.text,
        finish_reason=call.finish_reason,
        prompt_tokens=call.prompt_tokens,
        response_tokens=call.response_tokens,
        cost=call.cost,
        total_response_time_ms=call.total_response_time_ms,
        error=_error(call),
        charged=call.charged,
        cached=call.cached,
        said=read(call.text).text if thoughts and call.text else None,
        thoughts=thoughts,
        tool_calls=tuple(
            f"{made.name}({made.arguments})"
            for made in completion_of("", None, Usage(), call.response).tool_calls
        ),
        cached_tokens=call.cached_tokens,
        shared=alike.get((turn.turn_number, call.call_index)),
        answered_by=answered_by(call.model_asked, call.model_answered, call.response),
        first_token_ms=call.first_token_ms,
        lag_ms=call.lag_ms,
        reasoning_tokens=call.reasoning_tokens,
        failure=failure,
        advice=advice,
        request=call.request,
        response=call.response,
    )


def answered_by(model: str, model_answered: str | None, response: Any) -> str | None:
    """Who answered a call, as far as the response tells more than was asked: the model's own name,
    the provider behind a router, the region, the tier of the service, the fingerprint."""
    told = response if isinstance(response, dict) else {}
    own = model_answered if model_answered and not model.endswith(model_answered) else None
    provider, region = told.get("provider"), told.get("region")
    fingerprint = told.get("system_fingerprint")
    found = [
        own,
        f"at {provider}" if provider else None,
        f"in {region}" if region else None,
        told.get("service_tier"),
        f"fingerprint {fingerprint}" if fingerprint else None,
    ]
    return " · ".join(str(each) for each in found if each) or None


def text_of(value: Any) -> str:
    """A stored text; whatever else was stored in its place as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _content(content: Any) -> str:
    """A content as text: of parts those that are text, the others named."""
    if not isinstance(content, list):
        return text_of(content)
    return "\n".join(
        part["text"] if part.get("type") == "text" else f"({part.get('type', 'a part')})"
        for part in content
    )


def _asked_for(calls: Any) -> tuple[str, ...]:
    """The calls of tools in a message as they were sent, each in a line."""
    functions = [call.get("function") for call in calls or () if isinstance(call, dict)]
    return tuple(
        f"{function.get('name')}({function.get('arguments')})"
        for function in functions
        if isinstance(function, dict)
    )


def _error(call: CallRow) -> str | None:
    if call.error_class is None:
        return None
    status = "" if call.error_status is None else f" {call.error_status}"
    return f"{call.error_class}{status}: {call.error_message or ''}"


def failure_of(
    error_class: str | None, status: int | None, message: str | None
) -> tuple[str | None, str | None]:
    """What kind of failure a recorded one is, as a word, and what to do about it; None where that
    is not known."""
    if error_class is None:
        return None, None
    if error_class == ORPHANED:
        return "lost with the run", _ORPHANED
    if error_class == TIME_LIMIT:
        return "time limit", _TIME_LIMIT
    kind = kind_on_record(error_class, status, message)
    if kind is None:
        return None, None
    return _NAMED.get(kind, kind.value.replace("_", " ")), RULES[kind].advice
