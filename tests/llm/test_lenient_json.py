"""JSON as models write it: whole, cut, in any quotes, with prose around it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.llm.lenient_json import find_object

FIELDS = {"plan", "facts"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"plan":"x"}\nI hope {this} helps', {"plan": "x"}),
        ('In {this} game: {"plan":"x"}', {"plan": "x"}),
        ('```json\n{"plan": "x", // why not\n "facts": [1, 2,], /* more */ # or less\n}\n```',
         {"plan": "x", "facts": [1, 2]}),
        ("{'plan': 'It's Bob', 'facts': ['a']}", {"plan": "It's Bob", "facts": ["a"]}),
        ("{“plan”: “x”}", {"plan": "x"}),
        ("{plan: wait and see, facts: [a, b]}", {"plan": "wait and see", "facts": ["a", "b"]}),
        ('{"facts": ["he said "hi" to me", "b"]}', {"facts": ['he said "hi" to me', "b"]}),
        ('{"plan": "two\nlines"}', {"plan": "two\nlines"}),
        ('{"plan": "never closed,\n "facts": ["a"]}', {"plan": "never closed", "facts": ["a"]}),
        ('{"plan": None, "facts": True, "x": NaN}', {"plan": None, "facts": True, "x": None}),
        ('{"plan" = "x" "facts" => .5}', {"plan": "x", "facts": 0.5}),
        ('{"plan": "a \\"b\\" \\u00e9 \\q"}', {"plan": 'a "b" é q'}),
        ('{"plan": 0.7 (quiet), "facts": 1}', {"plan": "0.7 (quiet)", "facts": 1}),
        ('{"notes": {"plan": "x"}}', {"plan": "x"}),
        ('{"PLAN": "x"}', {"PLAN": "x"}),
    ],
)  # fmt: skip
def test_what_can_be_made_out_is_read(text: str, value: dict[str, Any]) -> None:
    found = find_object(text, FIELDS)

    assert found is not None
    assert (found.value, found.whole) == (value, True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"facts": ["a", "b', {"facts": ["a", "b"]}),
        ('{"facts": ["a"], "pla', {"facts": ["a"]}),
        ('{"facts": ["a"], "plan":', {"facts": ["a"], "plan": None}),
        ('{"plan": {"a": {"b": 1', {"plan": {"a": {"b": 1}}}),
        ('{"plan": "cut \\', {"plan": "cut"}),
        ('{"plan": "x"', {"plan": "x"}),
    ],
)
def test_what_was_cut_is_read_as_far_as_it_goes(text: str, value: dict[str, Any]) -> None:
    found = find_object(text, FIELDS)

    assert found is not None
    assert (found.value, found.whole) == (value, False)


def test_its_place_in_the_text_is_told() -> None:
    found = find_object('So: {"plan": "x"} it is', FIELDS)
    assert found is not None
    assert (found.start, found.end) == (4, 17)


@pytest.mark.parametrize("text", ["", "plan", "{", "{}", '{"other": 1}', "[1]", "{" * 50_000])
def test_nothing_is_found_where_there_is_nothing(text: str) -> None:
    assert find_object(text, FIELDS) is None


@pytest.mark.parametrize("piece", ['{"a":', "[", 'word "quoted" ', "{", ":", '"', "\\", "\n", "/*"])
def test_a_hostile_text_comes_to_an_end(piece: str) -> None:
    found = find_object('{"plan": ' + piece * 10_000, FIELDS)
    assert found is None or "plan" in found.value


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["plan", "facts", "more"]), values, min_size=1))
def test_what_is_json_is_read_as_json(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    found = find_object(text, {*value})

    assert found is not None
    assert found.value == json.loads(text)
    assert (found.start, found.end, found.whole) == (0, len(text), True)


@given(st.text(alphabet="{}[]\":,'“”\\/ \nplanfcts01.", max_size=80))
def test_any_text_is_read(text: str) -> None:
    found = find_object(text, FIELDS)
    assert found is None or text[found.start] == "{"
