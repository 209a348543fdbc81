"""`arena environments`: what is known of the rules before they are played."""

from __future__ import annotations

import json
import sys

import pytest

from tests.cli.commands import Arena
from tests.strangers import Install, install

__all__ = ["install"]


def test_an_environment_is_shown_with_its_faults_and_its_twin(arena: Arena) -> None:
    result = arena("environments", "show", "KuhnPoker-v0")

    assert result.stdout.splitlines() == [
        "KuhnPoker-v0: Kuhn Poker: three cards, one bet.",
        "players      2",
        "rules        textarena 0.7.4, put to players in revision 3",
        "actions      read whole up to 2,000 characters",
        "mended twin  KuhnPoker-v0-mended",
        "",
        "option      type  default",
        "─────────────────────────",
        "max_rounds  int   3",
        "",
        "known faults",
        "- Bets cost nothing: bet and fold, bet and call, check and check all move one chip. "
        "(mended in the twin)",
        "- Both players pay for a round after the last, so that their chips add up to -2. "
        "(mended in the twin)",
    ]


def test_a_twin_is_shown_with_the_faults_that_it_still_has(arena: Arena) -> None:
    lines = arena("environments", "show", "SecretMafia-v0-mended").stdout.splitlines()

    assert "players      6-15" in lines
    assert "roles of 6   1 Detective, 1 Doctor, 2 Mafia, 2 Villager" in lines
    assert "rules        textarena 0.7.4+mended.1, put to players in revision 3" in lines
    assert "tells        every player its role, team, phase" in lines
    assert "twin of      SecretMafia-v0" in lines
    assert lines[lines.index("known faults") + 1 :] == [
        "- Without discussion (`discussion_rounds: 0`) the rules raise on the first day."
    ]


def test_what_is_known_is_data_too(arena: Arena) -> None:
    found = json.loads(arena("environments", "show", "Taboo-v0", "--json").stdout)

    assert found["roles"]["4"] == {"Clue Giver": 2, "Guesser": 2}
    assert (found["min_players"], found["max_players"], found["twin"]) == (4, 14, None)
    assert found["options"][0] == {
        "name": "categories", "type": "Union[str, List[str]]", "default": ["things"],
        "required": False,
    }  # fmt: skip


def test_an_environment_without_options_and_faults_says_so(arena: Arena) -> None:
    lines = arena("environments", "show", "TicTacToe-v0").stdout.splitlines()
    assert lines[-3:] == ["no options", "", "no known faults"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SecretMafai-v0", "unknown environment 'SecretMafai-v0'; did you mean 'SecretMafia-v0'?"),
        ("KuhnPoker_v0", "did you mean 'KuhnPoker-v0'?"),
        ("TicTacToe-v0-mended", "did you mean 'TicTacToe-v0'?"),
        ("", "unknown environment ''; known: Alquerque-v0"),
        ("\x1b[31m", "unknown environment '\\x1b[31m'; known: "),
    ],
)
def test_a_name_that_is_not_there_gets_the_nearest(arena: Arena, name: str, said: str) -> None:
    result = arena("environments", "show", name)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "\x1b" not in result.stderr


def test_rules_that_this_python_cannot_read_are_shown_as_far_as_they_are_known(
    arena: Arena,
) -> None:
    result = arena("environments", "show", "Chess-v0")

    assert result.exit_code == 0
    assert "Chess-v0: Chess, in UCI moves." in result.stdout
    too_old = sys.version_info < (3, 12)
    assert result.stderr.count("Chess-v0 needs Python 3.12 or newer") == too_old


def test_the_list_counts_the_faults(arena: Arena) -> None:
    rows = [line.split() for line in arena("environments", "list").stdout.splitlines()]
    faults = {row[0]: row[4] for row in rows if row and row[0].startswith("KuhnPoker-v0")}
    assert faults["KuhnPoker-v0"] == "2"
    assert faults["KuhnPoker-v0-mended"] == "Kuhn"


STRANGER = """
from arena.core import EnvironmentSpec

class Chess9:
    def __init__(self, *, name, size: int = 9, clock: "float | None" = None):
        self.spec = EnvironmentSpec(
            name, 2, 2, "stranger", "1.2", description="Chess on \\x1b[31m81 squares.",
            faults=("A pawn may leave the board.", "\\x1b[2JKings \\u202e jump."),
            twin="Chess10-v0",
        )

    def reset(self, *, seed, num_players):
        raise RuntimeError("no board")

    def observe(self): ...
    def prepare(self, action): ...
    def step(self, action): ...
    def outcome(self, *, turn_limit=False): ...
"""


def test_a_strangers_environment_is_shown_as_far_as_it_can_be_known(
    arena: Arena, install: Install
) -> None:
    install(STRANGER, {"environments": {"Chess9-v0": "Chess9"}})

    result = arena("environments", "show", "Chess9-v0")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Chess9-v0: Chess on \\x1b[31m81 squares."
    assert [line.split() for line in lines if line.startswith(("size", "clock"))] == [
        ["size", "int", "9"], ["clock", "float", "|", "None", "None"],
    ]  # fmt: skip
    assert lines[-2:] == ["- A pawn may leave the board.", "- \\x1b[2JKings \\u202e jump."]
    assert "RuntimeError: no board" in result.stderr
    assert "unknown environment 'Chess10-v0'" in result.stderr
    assert not {*"\x1b\u202e"} & {*result.stdout + result.stderr}
