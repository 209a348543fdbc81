"""Hostile outputs: from a seed, of every kind, and found when they are printed as they are."""

from __future__ import annotations

import json
import random

import pytest

from torture.parts.hostile import acting
from torture.texts import MAKERS, hostile


def test_outputs_follow_from_their_seed_and_number() -> None:
    first = [hostile(1, number, "[3]") for number in range(100)]
    assert first == [hostile(1, number, "[3]") for number in range(100)]
    assert first != [hostile(2, number, "[3]") for number in range(100)]
    assert json.loads(json.dumps(first)) == first


def test_some_outputs_are_a_megabyte() -> None:
    assert max(len(hostile(1, number, "")) for number in range(0, 1000)) >= 2**20


def test_two_of_three_outputs_have_a_legal_move() -> None:
    outputs = [hostile(1, number, "[3]") for number in range(3 * len(MAKERS))]
    moves = [text.startswith("[3]\n") or text.endswith("\n[3]") for text in outputs]
    assert sum(moves) == 2 * len(MAKERS)


@pytest.mark.parametrize(
    "name",
    ["clipboard", "title", "ansi", "controls", "nul", "surrogates", "bidi", "hidden", "lines"],
)
def test_what_acts_on_a_terminal_is_noticed(name: str) -> None:
    maker = next(maker for maker in MAKERS if maker.__name__ == f"_{name}")
    assert all(acting(maker(random.Random(seed))) for seed in range(20))


def test_what_is_plain_is_let_be() -> None:
    assert not acting("Player 3 · ─── 🙂 \\x1b[31m é\n")
    assert acting("\x1b[31mred\x1b[0m")
    assert not acting("\x1b[31mred\x1b[0m", colour=True)
    assert acting("\x1b[31mred\x1b]52;c;eA==\x07", colour=True)
    assert acting("\r")
