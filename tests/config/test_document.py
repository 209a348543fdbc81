"""YAML is read as plain data with lines; what could hurt is refused in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.config.document import MAX_BYTES, read, written
from arena.core import ConfigError


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        read(text, "t.yaml")
    return str(raised.value)


def test_values_are_those_of_yaml_1_2() -> None:
    text = "{a: no, b: true, c: 0x1F, d: 1e3, e: 2024-01-01, f: ~, g: '5', h: 12:30, i: .5, j: 08}"

    assert read(text, "t").data == {
        "a": "no",
        "b": True,
        "c": 31,
        "d": 1000.0,
        "e": "2024-01-01",
        "f": None,
        "g": "5",
        "h": "12:30",
        "i": 0.5,
        "j": 8,
    }


def test_every_key_and_item_has_its_line() -> None:
    document = read("a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", "t")

    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("b", 1, "d"): 5,
    }


def test_aliases_and_merges_share_what_is_written_once() -> None:
    data = read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x\n", "t").data

    assert data == {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}, "z": {"a": 1, "b": 2}}


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    merges = "a0: &a0 {}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30)
    )

    assert "more than 100,000 values" in refused(bomb)
    assert "more than 100,000 values" in refused(merges)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &a [*a]", "nested more than 50 deep"),
        ("[" * 60 + "]" * 60, "t.yaml:1: nested more than 50 deep"),
        ("[" * 1500, "nested more than 50 deep"),
        ("a: 1\nb: 2\na: 3", "t.yaml:3: the key 'a' occurs twice; the first is in line 1"),
        ("a: 1\n3: 2", "t.yaml:2: expected a name before ':', found '3'"),
        ("a: !!python/object/apply:os.system [ls]", "the tag 'tag:yaml.org,2002:python/object"),
        ("a: !!binary aGk=", "t.yaml:1: the tag 'tag:yaml.org,2002:binary' is not allowed"),
        ("a: b: c", "t.yaml:1: not YAML: mapping values are not allowed here; put text that"),
        ("a:\n\tb: 1", "t.yaml:2: not YAML:"),
        ("a: 'x", "t.yaml:1: not YAML: while scanning a quoted scalar"),
        ("a: *b", "t.yaml:1: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2", "t.yaml:2: not YAML: expected a single document"),
        ("a: \0", "t.yaml: not YAML: unacceptable character"),
        ('a: "\\0"', "t.yaml:1: a NUL or half of a surrogate pair"),
        ('a: "\\ud800"', "t.yaml:1: a NUL or half of a surrogate pair"),
        ("a: " + "9" * 5000, "is not a number that can be read"),
        ("a: 1e999", "t.yaml:1: '1e999' is too large for a number"),
        ("{<<: 3}", "t.yaml:1: expected keys to merge after '<<:'"),
        ("x" * (MAX_BYTES + 1), "t.yaml: longer than 1024 KiB"),
        ("# only a comment", "t.yaml: the file is empty"),
    ],
)
def test_what_is_refused_is_said_in_one_sentence(text: str, expected: str) -> None:
    assert expected in refused(text)


def test_all_keys_that_occur_twice_are_shown() -> None:
    assert refused("a: 1\na: 2\nb: 1\nb: 2\n").splitlines() == [
        "2 problems in t.yaml",
        "  t.yaml:2: the key 'a' occurs twice; the first is in line 1",
        "  t.yaml:4: the key 'b' occurs twice; the first is in line 3",
    ]


# What no database can hold is refused, and a file begins without a mark.
_TEXTS = st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=("Cs",))) | (
    st.sampled_from(
        [
            "no",
            "1e3",
            "0x1F",
            "08",
            "~",
            "null",
            "<<",
            "=",
            "- a",
            "a: b",
            "1_000",
            ".5",
            "\x85",
            " \n x",
        ]
    )
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_TEXTS, _VALUES, min_size=1, max_size=3))
def test_what_is_written_is_read_as_the_same(data: dict[str, object]) -> None:
    assert read(written(data), "t").data == data


def test_lines_of_a_text_stand_as_they_are() -> None:
    assert written({"text": "one\n\ntwo: 2\n"}) == "text: |\n  one\n\n  two: 2\n"
