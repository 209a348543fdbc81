"""What a model thought is never taken for what it said, whatever its family thinks in; a marker
that a player only speaks of is speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.llm.thoughts import SpokenText, read
from real.thought_forms import CUT, FAMILIES, MENTIONS

THOUGHT = "Hmm, maybe [2]? They said [1]"
SAID = "I vote [3]"


def filled(form: str, said: str = SAID) -> str:
    return form.replace("{t}", THOUGHT).replace("{s}", said)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_thought_is_dropped_and_kept_apart(family: str) -> None:
    found = read(filled(FAMILIES[family]))

    assert found.text == SAID
    assert ("maybe [2]" in found.thoughts) == ("{t}" in FAMILIES[family])
    assert not found.unfinished


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_may_hold_a_thought_and_nothing_else(family: str) -> None:
    found = read(filled(FAMILIES[family], said=""))

    assert found.text == ""


@pytest.mark.parametrize("family", CUT)
def test_a_thought_that_the_end_cut_is_not_said(family: str) -> None:
    found = read(filled(CUT[family]))

    assert (found.text, found.unfinished) == ("", True)
    assert "maybe [2]" in found.thoughts


@pytest.mark.parametrize("mention", MENTIONS)
def test_a_marker_that_is_only_mentioned_is_speech(mention: str) -> None:
    assert read(mention) == SpokenText(mention)


@pytest.mark.parametrize(
    ("answer", "text", "thoughts"),
    [
        ("  [3]\n", "  [3]\n", ""),
        ("Good morning. <think>2 lies</think> I vote [3].", "Good morning.  I vote [3].", "2 lies"),
        ("I vote <think>maybe 2</think>[3]", "I vote [3]", "maybe 2"),
        ("Good morning.\n<think>2 lies, so", "Good morning.", "2 lies, so"),
        ("<think>a</think>Hello.<think>b</think> [3]", "Hello. [3]", "a\n\nb"),
        ("<THINKING>a</Thinking>[3]", "[3]", "a"),
        ("a template opened it</think>[3]", "[3]", "a template opened it"),
        ("two of them</think>again</think>\n[3]", "[3]", "two of them\n\nagain"),
        ("So it is 2. </think> I vote [3]", "I vote [3]", "So it is 2."),
        ("<answer>[3]</answer>", "<answer>[3]</answer>", ""),
        ("<think>a</think><answer>[3]", "[3]", "a"),
        ("<think>a</think>I say <answer>[3]</answer>", "I say <answer>[3]</answer>", "a"),
        ("<think>I see <|im_end|> there. [2]</think>[3]", "[3]", "I see <|im_end|> there. [2]"),
        ("<|channel|>final<|message|>A.<|end|><|channel|>final<|message|>B.", "A.B.", ""),
        ("<|channel|>critique<|message|>no<|end|><|channel|>final<|message|>[3]", "[3]", "no"),
        ("thought\nI vote [3]", "I vote [3]", ""),
        ("[3]<|im_end|>", "[3]<|im_end|>", ""),
        ("<|begin_of_box|>[3]<|end_of_box|>", "[3]", ""),
        ("<plan>[2]</plan>[3]", "[3]", "[2]"),
        ("<plan> I vote [3]", "<plan> I vote [3]", ""),
        ("[ANALYSIS]2 lies[/ANALYSIS] [3]", "[3]", "2 lies"),
        ("[analysis] I vote [3]", "[analysis] I vote [3]", ""),
        ("<think>a<\\/think>[3]", "[3]", "a"),
        ("<think>a<\\think>[3]", "[3]", "a"),
        ("\\<think\\>a\\</think\\>[3]", "[3]", "a"),
        ("<think>a<think/>[3]", "[3]", "a"),
        ("<think>a<｜end▁of▁thinking｜>[3]", "[3]", "a"),
        ("<|startofthink|>a<|endofthink|>[3]", "[3]", "a"),
        ("<think>a[/THINK]\n[3]", "[3]", "a"),
        ("<|im_start|>assistant\n<think>a</think>[3]", "[3]", "a"),
    ],
)
def test_an_answer_is_read(answer: str, text: str, thoughts: str) -> None:
    found = read(answer)

    assert (found.text, found.thoughts) == (text, thoughts)


@given(st.text(alphabet="abc [3]()\n.,", max_size=200))
def test_an_answer_without_markers_is_left_alone(answer: str) -> None:
    assert read(answer) == SpokenText(answer)


PIECES = (
    "<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "analysis", "final", "<|message|>",
    "<|end|>", "<|start|>assistant", "◁think▷", "◁/think▷", "<|channel>thought\n", "<channel|>",
    "<answer>", "</answer>", "[3]", "I vote", "`", "```\n", '"', "\n", " ", ".", "<", ">", "\x00",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_mixture_is_read_and_nothing_is_made_up(answer: str) -> None:
    found = read(answer)

    assert set(found.text) | set(found.thoughts) <= set(answer) | {"\n"}
    assert len(found.text) + len(found.thoughts) <= len(answer) + 2 * len(PIECES)
    assert read(filled("<think>{t}</think>") + "[3]").text == "[3]"


@pytest.mark.parametrize("piece", ["<think>", "</think> a", "<", "[a", "<|end|>", "<a ", "&lt;"])
def test_a_hostile_answer_of_many_markers_is_read(piece: str) -> None:
    found = read(piece * 20_000 + "\n[3]")

    assert found.text.endswith("[3]") or found.unfinished


def test_a_marker_is_found_wherever_it_stands_in_a_long_answer() -> None:
    for end in range(65_515, 65_555):
        thought = "I" + "y" * (end - len("analysisIassistantfinal"))
        assert read(f"analysis{thought}assistantfinal[3]") == SpokenText("[3]", thought)
