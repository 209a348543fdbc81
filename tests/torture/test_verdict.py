"""A record that lost, doubled or changed anything is found out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from torture.facts import Census, Facts, differences
from torture.service import Books, Request
from torture.verdict import Undisturbed, judge, lost_in_flight

POOL = {"of": "tournament"}


def facts(**changes: Any) -> Facts:
    """Two games, two turns each, one rating step each."""
    games = {
        place: {"turns": [{"action": f"[{place}]"}, {"action": "[1]"}], "game": {"winner": "A"}}
        for place in (0, 1)
    }
    steps = [
        {"pool": POOL, "place": place, "agent": "Ann", "mu_after": 25.0 + place} for place in (0, 1)
    ]
    return replace(Facts(games=games, ratings=[], changes=steps, counters=[]), **changes)


def census(**changes: Any) -> Census:
    """Each of three requests answered, one of them twice because two games ask the same."""
    asked = Counter(a=1, b=1, c=2)
    return Census(
        calls=changes.get("calls", asked),
        answered=changes.get("answered", asked),
        unanswered=changes.get("unanswered", Counter()),
        turns=changes.get("turns", Counter({0: 2, 1: 2})),
        finished=changes.get("finished", Counter({0: 1, 1: 1})),
    )


def books(digests: str) -> Books:
    return Books(
        tuple(
            Request(number, "lane", digest, float(number), number + 0.5, 0.001, None)
            for number, digest in enumerate(digests)
        )
    )


ALONE = Undisturbed(facts(), census(), 1.0, 3.0)


def test_a_record_that_is_as_it_should_be_is_clean() -> None:
    assert judge(ALONE, facts(), census(), books("abcc")).clean


def test_an_orphan_explains_that_a_request_came_twice() -> None:
    orphaned = census(calls=Counter(a=2, b=1, c=2), unanswered=Counter(a=1))

    assert judge(ALONE, facts(), orphaned, books("aabcc")).clean


@pytest.mark.parametrize(
    ("found", "record", "asked", "changed"),
    [
        ("unknown", census(), "abccd", {}),
        ("repaid", census(calls=Counter(a=2, b=1, c=2), answered=Counter(a=2, b=1, c=2)),
         "aabcc", {}),
        ("repaid", census(calls=Counter(a=2, b=1, c=2)), "aabcc", {}),
        ("doubled", census(turns=Counter({0: 3, 1: 2})), "abcc", {}),
        ("lost", census(finished=Counter({0: 1})), "abcc", {}),
        ("rated_twice", census(), "abcc", {"changes": [*facts().changes, facts().changes[0]]}),
        ("different", census(), "abcc",
         {"changes": [{**step, "mu_after": 25.000000000000004} for step in facts().changes]}),
    ],
    ids=["no intent", "answered twice", "asked twice", "turn", "game", "rating", "last bit"],
)  # fmt: skip
def test_each_wrong_has_its_count(
    found: str, record: Census, asked: str, changed: dict[str, Any]
) -> None:
    verdict = judge(ALONE, facts(**changed), record, books(asked))

    assert getattr(verdict, found) > 0
    assert not verdict.clean


def test_differences_say_where() -> None:
    one = {"a": [1, {"b": 0.1}], "only": None}
    assert differences(one, one) == []
    assert differences(one, {"a": [1, {"b": 0.10000000000000002}]}) == [
        "/a/1/b: '0.1' and '0.10000000000000002'",
        "/only: only in the first",
    ]
    assert differences([1, 2], [1]) == [": 2 entries and 1"]


def test_an_answer_is_lost_when_it_was_written_before_the_kill_and_is_on_no_row() -> None:
    before = census(answered=Counter())
    after = census(answered=Counter(a=1))

    assert lost_in_flight(books("ab"), 2.0, before, after) == 1
    # The second answer was written after the kill: nobody was there to hear it.
    assert lost_in_flight(books("ab"), 1.0, before, after) == 0
