"""Prompt variables: the known ones are filled in, others are refused with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core import UsageError
from arena.core.prompts import VARIABLES, check, check_told, parted, render, stored, used

HERE = {"player_index": 3, "num_players": 6, "environment": "SecretMafia-v0", "agent": "Ada"}
NONE: dict[str, object] = {}


def test_variables_are_filled_in() -> None:
    template = "{{agent}}: player {{ player_index }} of {{num_players}} in {{environment}}."
    assert render(template, HERE, NONE) == "Ada: player 3 of 6 in SecretMafia-v0."


def test_what_a_variable_holds_is_not_looked_at_again() -> None:
    assert (
        render("{{agent}}", {**HERE, "agent": "{{player_index}} \\1"}, NONE)
        == "{{player_index}} \\1"
    )


@pytest.mark.parametrize("braces", ['{{"a": 1}}', "{player}", "{{}}", "{{ two words }}", "}}{{"])
def test_other_braces_stay(braces: str) -> None:
    check(braces)
    assert render(braces, HERE, NONE) == braces


def test_an_unknown_variable_names_the_nearest_the_line_and_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        check("You are\nplayer {{player_idx}}.")
    message = str(caught.value)
    assert "{{player_idx}} in line 2" in message
    assert "did you mean {{player_index}}?" in message
    known = [name for name in VARIABLES if name != "vars.NAME"]
    assert all(f"{{{{{name}}}}}" in message for name in known)


def test_render_refuses_what_it_is_not_given() -> None:
    with pytest.raises(UsageError, match="num_players"):
        render("{{num_players}}", {"agent": "Ada"}, NONE)


def test_the_prompts_that_come_with_the_arena_are_right() -> None:
    prompts = sorted((Path(__file__).parents[2] / "configs" / "prompts").glob("*.md"))
    assert len(prompts) >= 3
    for prompt in prompts:
        text = prompt.read_text()
        own = {name.removeprefix("vars."): "wolf" for name in used(text) if "vars." in name}
        rendered = render(text, HERE, own)
        assert "{{" not in rendered
        assert "Player 3" in rendered


def test_an_agents_own_variables_stand_behind_vars() -> None:
    own = {"tone": "calm {{role}}", "rounds": 3}
    template = "{{vars.tone}}, {{ vars.rounds }} rounds, {{agent}}"
    assert render(template, HERE, own) == "calm {{role}}, 3 rounds, Ada"
    assert used(template) == {"vars.tone": 1, "vars.rounds": 1, "agent": 1}
    check(template)
    with pytest.raises(UsageError, match=r"did you mean \{\{vars.rounds\}\}"):
        check("{{vars.round}}", {"rounds"})
    with pytest.raises(UsageError, match=r"line 2.*did you mean \{\{role\}\}"):
        check("Play.\n{{rol}}")


def test_what_a_game_does_not_tell_is_refused_with_its_line() -> None:
    check_told("{{role}} {{agent}}", "SecretMafia-v0", ("role", "team"))
    with pytest.raises(UsageError) as caught:
        check_told("You are\n{{phase}}", "Chess-v0", ("role",))
    assert "{{phase}} in line 2, and Chess-v0 does not tell a player its phase" in str(caught.value)
    assert "it tells: {{role}}" in str(caught.value)


def test_variables_are_on_record_beside_the_options_of_the_kind() -> None:
    assert stored({"notes": 2000}, {}) == {"notes": 2000}
    said = stored({"notes": 2000}, {"vars": {"tone": "calm"}, "tools": []})
    assert said == {"notes": 2000, "vars": {"tone": "calm"}}
    own, beside = parted(said)
    assert (own, beside["vars"]) == ({"notes": 2000}, {"tone": "calm"})
    assert parted({})[0] == {}
    assert not any(parted({})[1].values())
