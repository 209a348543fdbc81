"""What the plain answers of other protocols than chat completions have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from arena.core import Usage
from arena.llm.providers.lean.plain import MOST_TOKENS, stored_answer
from arena.llm.providers.protocol import Answer
from arena.llm.recorded import completion_of


def answer_of(
    head: Mapping[str, Any],
    texts: tuple[str, str],
    finish_reason: str,
    usage: tuple[Usage, Mapping[str, float]],
    headers: Mapping[str, str],
    prefix: str,
    first_token_ms: float | None = None,
) -> Answer:
    """An answer with this head; `texts` are what was said and what was thought before."""
    text, thoughts = texts
    stored = stored_answer(head, text, finish_reason, usage[1], headers, prefix)
    if thoughts:
        stored["choices"][0]["reasoning_content"] = thoughts
    completion = completion_of(text, finish_reason, usage[0], stored)
    return Answer(completion, stored["model"], stored, first_token_ms)


def is_count(value: Any) -> bool:
    """Whether it is a number of tokens."""
    return type(value) is int and 0 <= value < MOST_TOKENS


def is_maybe_count(value: Any) -> bool:
    """Whether it is a number of tokens, or none."""
    return value is None or is_count(value)


def count_on(counts: Sequence[int], pieces: int) -> bool:
    """Whether each of the counts of a stream in so many pieces holds those before. Of others it is
    the library's to say whether they add up (`arena.llm.providers.usage.reported`)."""
    told = [count for count in counts if count]
    if any(after < before for before, after in pairwise(told)):
        return False
    return len(set(told)) != 1 or len(told) == 1 or told[0] >= pieces
