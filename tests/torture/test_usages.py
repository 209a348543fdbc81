"""Whatever a provider says of what a call took, no call is charged less than it is billed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from arena.core import CallAnswer, ModelSpec
from tests.clients import client
from tests.llm.test_client import HELLO, Log, unlimited
from torture.service import PRICES, Service
from torture.usages import PLACES, SHAPES


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_no_form_of_a_usage_is_charged_less_than_it_is_billed(stream: bool, tmp_path: Path) -> None:
    rounds = len(PLACES) if stream else 1
    log = Log()

    async def ask(url: str) -> None:
        model = ModelSpec(
            name="loop",
            litellm_model="openai/loopback",
            api_base=url,
            stream=stream,
            input_price=PRICES[0],
            output_price=PRICES[1],
            params={"max_tokens": 400},
        )
        asked = client()
        try:
            for _ in range(rounds * len(SHAPES)):
                await asked.complete(model, HELLO, log=log, clearance=unlimited())
        finally:
            await asked.aclose()

    with Service(tmp_path / "books.log") as service:
        asyncio.run(ask(service.url("lane", "usage")))
        billed = [request.dollars for request in service.books("lane").requests]

    charged = [answer.charged or 0.0 for answer in log.answers]
    names = [*SHAPES] * rounds
    less = [
        f"{name}, {PLACES[number // len(SHAPES)]}: ${paid:.6f} of ${due:.6f}"
        for number, (name, paid, due) in enumerate(zip(names, charged, billed, strict=True))
        if paid < due - 1e-12
    ]
    assert less == []
    exact = {"plain", "thoughts inside", "thoughts beside", "dearer than listed", "ticks"}
    exact |= {"dollars in parts", "a key of one's own", "estimated", "beyond max_tokens"}
    for name, paid, due in zip(names, charged, billed, strict=True):
        assert name not in exact or paid == pytest.approx(due), name
    assert stated(log.answers[[*SHAPES].index("ticks")]) == pytest.approx(
        billed[[*SHAPES].index("ticks")]
    )


def stated(answer: CallAnswer) -> object:
    """The provider's own dollars, as they are on record."""
    assert isinstance(answer.response, dict)
    return answer.response["usage"]["stated_cost"]
