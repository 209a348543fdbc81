"""What a stream says of what it took: in one chunk, counted on, or of each chunk alone."""

from __future__ import annotations

from typing import Any

import pytest

from arena.llm.providers.usage import reported


def chunks(*told: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [{"usage": usage} for usage in told]


def took(completion: int, prompt: int = 0, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **more}


@pytest.mark.parametrize(
    ("told", "pieces", "prompt", "completion"),
    [
        pytest.param([None, None, took(7, 20)], 2, 20, 7, id="at the end"),
        pytest.param([took(1, 20), took(3, 20), took(7, 20)], 3, 20, 7, id="so far"),
        pytest.param([took(1, 20), took(7)], 5, 20, 7, id="prompt first, answer last"),
        pytest.param([took(7, 20)] * 4, 4, 20, 7, id="the same in every chunk"),
        pytest.param([took(1, 20), *[took(1)] * 6], 7, 20, 7, id="a token of each chunk"),
        pytest.param([took(3, 20), took(1), took(3)], 3, 20, 7, id="tokens of each chunk"),
    ],
)
def test_the_usage_of_a_stream(
    told: list[dict[str, Any] | None], pieces: int, prompt: int, completion: int
) -> None:
    assert reported(chunks(*told), pieces) == took(completion, prompt)


def test_the_dollars_of_each_chunk_are_summed_where_its_tokens_are() -> None:
    each = [took(3, 20, cost=0.5), took(1, cost=0.25), took(2, cost=0.25)]
    assert reported(chunks(*each), 3)["cost"] == 1.0
    so_far = [took(1, 20, cost=0.5), took(2, 20, cost=0.75), took(4, 20, cost=1.0)]
    assert reported(chunks(*so_far), 3)["cost"] == 1.0
