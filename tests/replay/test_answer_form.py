"""An answer in parts: what is typed in each is read, or said to be wrong."""

from __future__ import annotations

import json

import pytest

from arena.replay.answer_form import AnswerField, filled, pasted

VERDICT = AnswerField("verdict", options=("guilty", "not guilty"))
POINTS = AnswerField("points", number=True, whole=True, low=0, high=10)
SHARE = AnswerField("share", number=True, low=0.5)
WHY = AnswerField("why", longest=5)
FIELDS = (VERDICT, POINTS, SHARE, WHY)
RIGHT = {"verdict": " Not Guilty ", "points": "7", "share": "0.75", "why": "so it"}


def test_what_is_typed_becomes_the_object_that_a_model_would_have_written() -> None:
    answer = filled(FIELDS, RIGHT)
    assert json.loads(answer.text) == {
        "verdict": "not guilty", "points": 7, "share": 0.75, "why": "so it",
    }  # fmt: skip
    assert answer.wrong == {}
    assert pasted(FIELDS, answer.text) == answer


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("verdict", "guilt", "verdict: expected guilty or not guilty, found 'guilt'"),
        ("points", "11", "points: expected a whole number from 0 to 10, found '11'"),
        ("points", "7.5", "points: expected a whole number from 0 to 10, found '7.5'"),
        ("points", "nan", "points: expected a whole number from 0 to 10, found 'nan'"),
        ("share", "0.25", "share: expected a number from 0.5, found '0.25'"),
        ("why", "so it is", "why: expected a text, at most 5 long, found 'so it is'"),
        ("why", "  ", "why: expected a text, at most 5 long, nothing was given"),
    ],
)
def test_what_a_field_does_not_take_is_said(field: str, typed: str, said: str) -> None:
    assert filled(FIELDS, RIGHT | {field: typed}).wrong == {field: said}


@pytest.mark.parametrize("text", ["guilty", "[1]", "{", "[" * 100_000])
def test_what_is_no_object_is_no_answer(text: str) -> None:
    said = "that is no JSON object; expected one with verdict, points, share, why"
    assert pasted(FIELDS, text).wrong == {"": said}
