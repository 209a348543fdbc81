"""`arena environments show` and `check` tell all of a scenario, and what is kept from whom."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import run_arena
from tests.scenarios.files import haggle


def test_a_scenario_is_told_whole_with_what_is_kept_from_whom(tmp_path: Path) -> None:
    said = run_arena("environments", "check", haggle(tmp_path)).stdout

    for line in (
        "A bicycle: Ada, Ben, Cleo, Dan settle the price of a bicycle. It has one wheel.",
        "Ben, seller: -1 to 4 points",
        "  private: The bicycle was found.",
        "  private, counts: price: +4 at 10, +0 at 20, in proportion between",
        "  hidden from all: -1 if Ada says 'old bicycle'",
        "Cleo, neighbour (team street): 0 to 1 points",
        "scene 1, Market: Ada, Ben in turn, heard by Cleo; at most 4 turns",
        "  reached when price is settled",
        "narrator, in Market, after 2 turns: Two have spoken.",
        "narrator, the first time that 'old * bicycle' is said: So it is old.",
        "narrator, in Street, at the end: The street has spoken.",
        "value price: a whole number from 10 to 20; agreed on when 2 have stated the same",
        "value fair: yes or no; voted on by Cleo, Dan; most votes win",
    ):
        assert f"{line}\n" in said
    assert "referee" not in said


def test_show_tells_the_scenario_of_a_name_and_its_referee() -> None:
    said = run_arena("environments", "show", "scenario-courtroom").stdout
    assert "  private: Lena Ortiz lent her key card to a colleague that week" in said
    assert "  reached when the referee says yes to 'Was each exhibit spoken of by both" in said
    assert "referee, asked when the scenes are over, at most 3 answers: Decide by what" in said
    assert "verdict prosecution: a whole number from 0 to 10\n" in said

    told = json.loads(run_arena("environments", "show", "scenario-courtroom", "--json").stdout)
    assert told["scenario"]["attempts"] == 3
    assert told["scenario"]["personas"][1]["counts"][2] == {
        "what": "+1 if the scene 'Evidence' reaches its goal",
        "hidden": False,
    }
    plain = run_arena("environments", "show", "PigDice-v0", "--json").stdout
    assert json.loads(plain)["scenario"] is None
