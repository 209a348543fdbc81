"""Prompt variables: the known ones are filled in, others are refused with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core import UsageError
from arena.core.prompts import VARIABLES, check, render

HERE = {"player_index": 3, "num_players": 6, "environment": "SecretMafia-v0", "agent": "Ada"}


def test_variables_are_filled_in() -> None:
    template = "{{agent}}: player {{ player_index }} of {{num_players}} in {{environment}}."
    assert render(template, HERE) == "Ada: player 3 of 6 in SecretMafia-v0."


def test_what_a_variable_holds_is_not_looked_at_again() -> None:
    assert render("{{agent}}", {**HERE, "agent": "{{player_index}} \\1"}) == "{{player_index}} \\1"


@pytest.mark.parametrize("braces", ['{{"a": 1}}', "{player}", "{{}}", "{{ two words }}", "}}{{"])
def test_other_braces_stay(braces: str) -> None:
    check(braces)
    assert render(braces, HERE) == braces


def test_an_unknown_variable_names_the_nearest_the_line_and_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        check("You are\nplayer {{player_idx}}.")
    message = str(caught.value)
    assert "{{player_idx}} in line 2" in message
    assert "did you mean {{player_index}}?" in message
    assert all(f"{{{{{name}}}}}" in message for name in VARIABLES)


def test_render_refuses_what_it_is_not_given() -> None:
    with pytest.raises(UsageError, match="num_players"):
        render("{{num_players}}", {"agent": "Ada"})


def test_the_prompts_that_come_with_the_arena_are_right() -> None:
    prompts = sorted((Path(__file__).parents[2] / "configs" / "prompts").glob("*.md"))
    assert len(prompts) >= 3
    for prompt in prompts:
        rendered = render(prompt.read_text(), HERE)
        assert "{{" not in rendered
        assert "Player 3" in rendered
