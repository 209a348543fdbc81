"""A conversation that is too long is told in any provider's words, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.llm.failures.too_long import length_fault

WORDS = Path(__file__).with_name("provider_words.txt").read_text(encoding="utf-8")
CASES = [line.split(" | ", 4) for line in WORDS.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize(
    ("kind", "status", "code", "words"),
    [
        pytest.param(kind, int(status), code, words, id=f"{kind}: {who}")
        for kind, status, code, who, words in CASES
    ],
)
def test_what_is_too_long_is_told_by_the_words(
    kind: str, status: int, code: str, words: str
) -> None:
    found = length_fault(status, () if code == "-" else (code,), words)
    assert (found or "-") == kind
