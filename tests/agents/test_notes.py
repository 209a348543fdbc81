"""Notes as models rewrite them: coerced where they are meant, kept where they are not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.agents.notes import Notes, Rewritten, rewritten

OLD = Notes({"1": 0.5}, {"2": "Doctor"}, ("P2 died",), "wait")


def now(text: str, old: Notes = OLD) -> Notes:
    found = rewritten(text, old)
    assert found is not None
    return found.notes


def test_a_whole_rewriting_replaces_the_notes() -> None:
    text = json.dumps({"suspicions": {"3": 1}, "claims": {}, "facts": ["day 2"], "plan": "vote 3"})
    assert rewritten(text, OLD) == Rewritten(Notes({"3": 1.0}, {}, ("day 2",), "vote 3"))


@pytest.mark.parametrize(
    ("written", "suspicions"),
    [
        ('{"1": "0.5", "2": 0}', {"1": 0.5, "2": 0.0}),
        ('{"Player 1": "high", "player_2": "low", "P3": "50%", "4": "7/10"}',
         {"1": 0.8, "2": 0.2, "3": 0.5, "4": 0.7}),
        ('{"1": 70, "2": 20}', {"1": 0.7, "2": 0.2}),
        ('{"1": 7, "2": 2}', {"1": 0.7, "2": 0.2}),
        ('{"1": 1.2, "2": 0.2}', {"1": 1.0, "2": 0.2}),
        ('{"1": true, "2": {"level": 0.4, "why": "quiet"}, "3": [0.3, "loud"]}',
         {"1": 1.0, "2": 0.4, "3": 0.3}),
        ('[{"player": 1, "suspicion": 0.5}, {"player": "Player 3", "score": "0.7"}]',
         {"1": 0.5, "3": 0.7}),
        ('["1: 0.5", "Player 2: 0.2"]', {"1": 0.5, "2": 0.2}),
        ('[["1", 0.5]]', {"1": 0.5}),
        ('"Player 1: 0.5, Player 2: 0.2"', {"1": 0.5, "2": 0.2}),
        ('{"1": -3}', {"1": 0.0}),
        ("{}", {}),
    ],
)  # fmt: skip
def test_suspicions_are_read_in_any_shape(written: str, suspicions: dict[str, float]) -> None:
    assert now(f'{{"suspicions": {written}}}').suspicions == suspicions


@pytest.mark.parametrize(
    ("field", "written", "read"),
    [
        ("claims", '{"Player 1": ["Doctor"], "2": null}', {"1": "Doctor"}),
        ("claims", '"1: Doctor; Player 2 is Villager"', {"1": "Doctor", "2": "Villager"}),
        ("facts", '"P2 died\\nP3 lied"', ("P2 died", "P3 lied")),
        ("facts", '{"day 1": "P2 died"}', ("day 1: P2 died",)),
        ("facts", '[{"player": 1, "was": "dead"}, 5, " "]', ("player: 1, was: dead", "5")),
        ("plan", '["first", "then"]', "first; then"),
        ("plan", '""', ""),
    ],
)
def test_other_fields_are_read_in_any_shape(field: str, written: str, read: object) -> None:
    assert getattr(now(f'{{"{field}": {written}}}'), field) == read


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("suspicions", '"nobody yet"'),
        ("suspicions", "5"),
        ("suspicions", '{"1": "?", "2": 1e999, "3": NaN}'),
        ("suspicions", '{"<player>": "<0 to 1>"}'),
        ("claims", '["x"]'),
        ("claims", '{"1": ""}'),
        ("claims", "true"),
        ("facts", "7"),
        ("facts", '[" "]'),
        ("facts", "null"),
        ("plan", "null"),
    ],
)
def test_a_field_in_no_shape_of_its_own_stays_as_it_was(field: str, written: str) -> None:
    found = rewritten(
        f'{{"{field}": {written}, "{"facts" if field == "plan" else "plan"}": "x"}}', OLD
    )

    assert found is not None
    assert getattr(found.notes, field) == getattr(OLD, field)
    assert field in found.kept


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("# Your notes\n## Suspicions\n- Player 1: 0.7\n- Player 3: low\n## Claims\n"
         "- Player 4: Doctor\n## Facts\n1. Player 2 died\n2. Day 2\n## Plan\nVote [1].\nWait.",
         Notes({"1": 0.7, "3": 0.2}, {"4": "Doctor"}, ("Player 2 died", "Day 2"),
               "Vote [1]. Wait.")),
        ("**Suspicions:**\n* Player 1: 0.7\n\n**Plan:** go",
         Notes({"1": 0.7}, OLD.claims, OLD.facts, "go")),
        ('suspicions: {"1": 0.7}\nfacts: none\nplan: go',
         Notes({"1": 0.7}, OLD.claims, OLD.facts, "go")),
        ("Plan: go", Notes(OLD.suspicions, OLD.claims, OLD.facts, "go")),
    ],
)  # fmt: skip
def test_notes_may_be_paragraphs(written: str, read: Notes) -> None:
    assert now(written) == read


def test_a_field_that_is_missing_stays_as_it_was() -> None:
    found = rewritten('{"plan":"x"}\nI hope {this} helps', OLD)
    assert found == Rewritten(
        Notes(OLD.suspicions, OLD.claims, OLD.facts, "x"), kept=("suspicions", "claims", "facts")
    )


def test_what_was_cut_loses_nothing() -> None:
    found = rewritten('{"suspicions": {"3": 0.9}, "claims": {}, "facts": ["P4 died", "P5 is', OLD)
    assert found is not None
    assert found.cut
    assert found.notes == Notes({"3": 0.9}, {}, ("P2 died", "P4 died", "P5 is"), "wait")
    assert now('{"suspicions": {"3": 0.').suspicions == {"1": 0.5, "3": 0.0}


@pytest.mark.parametrize("bad", ["", "no notes", "{", "[1, 2]", '{"other": 1}', '{"plan": null}'])
def test_what_holds_no_notes_is_none(bad: str) -> None:
    assert rewritten(bad, OLD) is None


def test_notes_render_as_the_json_they_are_read_from() -> None:
    notes = Notes({"3": 0.7}, {"1": "Doctor é"}, ("x", 'say "y"'), "wait")
    assert now(notes.render()) == notes
    assert json.loads(notes.render())["claims"] == {"1": "Doctor é"}


def test_notes_keep_to_their_limit_and_the_latest_facts_stay() -> None:
    facts = json.dumps({"facts": [f"fact {n} " + "x" * 500 for n in range(36)]})
    notes = now(facts).within(1000)
    assert len(notes.render()) <= 1000
    assert notes.facts[-1].startswith("fact 35")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(-99, 999),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["suspicions", "claims", "facts", "plan"]), json_values))
def test_any_shape_gives_notes_that_can_be_rendered(value: dict[str, object]) -> None:
    found = rewritten(json.dumps(value), OLD)
    notes = OLD if found is None else found.notes
    assert all(0.0 <= much <= 1.0 for much in notes.suspicions.values())
    assert all(isinstance(text, str) for text in (*notes.claims.values(), *notes.facts, notes.plan))
    assert json.loads(notes.within(2000).render())
