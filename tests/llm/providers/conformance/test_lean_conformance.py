"""The lean path beside LiteLLM itself: the same request leaves, and the same is made of whatever
comes back, for every provider."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from tests.llm.providers.conformance.anthropic_like import ANTHROPIC_LIKE
from tests.llm.providers.conformance.bedrock_like import BEDROCK_LIKE
from tests.llm.providers.conformance.cases import ProviderCases
from tests.llm.providers.conformance.cohere_like import COHERE_LIKE
from tests.llm.providers.conformance.compared import KEY, TITLE, compared
from tests.llm.providers.conformance.google_like import GOOGLE_LIKE
from tests.llm.providers.conformance.openai_providers import OPENAI_LIKE

ALL: tuple[ProviderCases, ...] = (
    *OPENAI_LIKE,
    *ANTHROPIC_LIKE,
    *GOOGLE_LIKE,
    *BEDROCK_LIKE,
    *COHERE_LIKE,
)
STREAMED = {False: "whole", True: "streamed"}
# Of what a model that is alone in its family may be answered, one in so many is in the sample.
ALONE = 5


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_KEY", KEY)
    monkeypatch.setenv("LEAN_TITLE", TITLE)


def check(cases: ProviderCases, params: str, *, stream: bool, names: Sequence[str]) -> None:
    found = asyncio.run(compared(cases, params, stream=stream, only=names))
    why = cases.why.get(stream)
    assert (found.path if isinstance(found.path, str) else None) == why
    assert not found.differences, "\n".join(found.differences)
    if why is None:
        assert not found.handed_over & cases.plain, "what is plain is read without LiteLLM"


def sampled() -> list[Any]:
    """Every model, streamed or not in turn, with its share of what those of its family may be
    answered; what must be plain is asked of each."""
    found = []
    for family in dict.fromkeys(cases.family for cases in ALL):
        models = [cases for cases in ALL if cases.family == family]
        for stream in (False, True):
            turn = models if len(models) == 1 else models[stream::2]
            lean = [cases for cases in turn if stream not in cases.why]
            for place, cases in enumerate(lean):
                alone = cases.own | models[0].plain
                names = [name for name in cases.named(stream) if name in alone]
                shared = [name for name in cases.named(stream) if name not in alone]
                names += shared[place :: ALONE if len(models) == 1 else len(lean)]
                params = [*cases.params][(place + stream) % len(cases.params)]
                named = f"{cases.model}-{params}-{STREAMED[stream]}"
                found.append(pytest.param(cases, params, stream, names, id=named))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("cases", "params", "stream", "names"), sampled())
def test_the_lean_path_is_as_litellm_itself(
    cases: ProviderCases,
    params: str,
    stream: bool,
    names: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in cases.environment.items():
        monkeypatch.setenv(name, value)
    check(cases, params, stream=stream, names=names)


def test_every_answer_is_in_the_sample_of_a_large_family() -> None:
    asked: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for one in sampled():
        cases, _, stream, names = one.values
        asked[cases.family, stream] |= {*names}
    for cases in OPENAI_LIKE:
        for stream in (False, True):
            shared = {*cases.named(stream)} - {*cases.own}
            assert shared <= asked[cases.family, stream] or stream in cases.why, cases.model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cases", "stream"), [(cases, stream) for cases in ALL for stream in cases.why]
)
def test_others_are_asked_through_litellm(cases: ProviderCases, stream: bool) -> None:
    [params, *_] = cases.params
    check(
        cases,
        params,
        stream=stream,
        names=[name for name in cases.named(stream) if name in cases.plain],
    )


@pytest.mark.sweep
@pytest.mark.parametrize("params", ["few", "many"])
@pytest.mark.parametrize("stream", [False, True], ids=STREAMED.__getitem__)
@pytest.mark.parametrize("cases", ALL, ids=lambda cases: cases.model)
def test_so_it_is_of_every_answer(
    cases: ProviderCases, stream: bool, params: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cases.environment.items():
        monkeypatch.setenv(name, value)
    if stream not in cases.why:
        check(cases, params, stream=stream, names=[*cases.named(stream)])
