"""Whose fault an answer is that says nothing, or that did not end: by why it ended, in the words of
providers and routers."""

from __future__ import annotations

from typing import Any

import pytest

from arena.llm.failures.classify import fault_of
from arena.llm.failures.inside import Heard
from arena.llm.failures.kinds import FaultKind, Remedy


@pytest.mark.parametrize(
    "reason",
    [
        "error", "ERROR", "network_error", "model_error", "engine_error", "abort", "aborted",
        "insufficient_system_resource", "timeout", "cancelled", "upstream_failure", "interrupted",
        "internal_failure", "err",
    ],
)  # fmt: skip
def test_a_broken_answer_is_the_providers_fault_whatever_was_said_before(reason: str) -> None:
    for silent in (False, True):
        failure = Heard(reasons=["", reason], choices=True).failure(silent=silent)
        assert failure is not None, (reason, silent)
        fault = fault_of(failure)
        assert (fault.kind, fault.remedy, fault.status) == (FaultKind.SERVER, Remedy.RETRY, 200)
        assert fault.billed
        assert reason in fault.message


@pytest.mark.parametrize(
    "reason",
    [
        "stop", "STOP", "length", "max_tokens", "MAX_TOKENS", "end_turn", "eos", "eos_token",
        "stop_sequence", "tool_calls", "tool_use", "function_call", "content_filter", "SAFETY",
        "RECITATION", "PROHIBITED_CONTENT", "refusal", "completed", "COMPLETE", "pause_turn",
        "ERROR_TOXIC", "ERROR_LIMIT", "guardrail_intervened", "sensitive", "BLOCKLIST", "SPII",
        "model_context_window_exceeded", "LANGUAGE",
    ],
)  # fmt: skip
def test_how_answers_end_is_no_failure(reason: str) -> None:
    for silent in (False, True):
        assert Heard(reasons=[reason], choices=True).failure(silent=silent) is None


@pytest.mark.parametrize(
    "reason", ["load", "OTHER", "MALFORMED_FUNCTION_CALL", "unknown", "banana"]
)
def test_an_end_that_nobody_knows_is_a_failure_where_nothing_was_said(reason: str) -> None:
    heard = Heard(reasons=["stop"], native=[reason], choices=True)
    assert heard.failure(silent=True) is not None
    assert heard.failure(silent=False) is None


@pytest.mark.parametrize(
    ("heard", "silent", "failed"),
    [
        (Heard(reasons=["stop"], choices=True, no_tokens=True), True, True),
        (Heard(reasons=["stop"], choices=True, no_tokens=True), False, False),
        (Heard(reasons=["content_filter"], choices=True, no_tokens=True), True, False),
        (Heard(reasons=["length"], choices=True, no_tokens=True), True, True),
        (Heard(reasons=["stop"], choices=True), True, False),
        (Heard(choices=True), True, True),
        (Heard(choices=True), False, False),
        (Heard(reasons=["stop"], choices=True, error={"message": "no"}), True, True),
        (Heard(reasons=["stop"], choices=True, error="no"), False, False),
        (Heard(), True, False),
    ],
)
def test_silence_is_the_models_where_it_had_its_say(
    heard: Heard, silent: bool, failed: bool
) -> None:
    assert (heard.failure(silent=silent) is not None) is failed


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow down"}, FaultKind.RATE_LIMIT),
        ({"code": "429", "message": "slow down"}, FaultKind.RATE_LIMIT),
        ({"code": 402, "message": "pay"}, FaultKind.CREDIT),
        ({"code": 400, "message": "Provider returned error"}, FaultKind.SERVER),
        ({"code": 401, "message": "upstream's key"}, FaultKind.SERVER),
        ({"type": "overloaded_error"}, FaultKind.OVERLOADED),
        ("it broke", FaultKind.SERVER),
        (["odd"], FaultKind.SERVER),
    ],
)
def test_an_error_in_a_choice_is_read_by_its_code(error: Any, kind: FaultKind) -> None:
    failure = Heard(reasons=["error"], choices=True, error=error).failure(silent=True)
    assert failure is not None
    assert fault_of(failure).kind is kind
