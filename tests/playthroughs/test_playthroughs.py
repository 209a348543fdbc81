"""Every golden game is played again, to the letter; none is missing and none is left over."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core import UsageError
from arena.testing.playthrough import GoldenGame, declared, main, render

FOLDER = Path(__file__).parent
GAMES = declared(FOLDER)


@pytest.mark.parametrize("golden", GAMES, ids=[golden.title for golden in GAMES])
def test_a_golden_game_is_reproduced_exactly(golden: GoldenGame) -> None:
    written = (FOLDER / golden.filename).read_text(encoding="utf-8")
    assert render(golden).splitlines() == written.splitlines()


def test_every_declared_game_is_written_and_every_written_game_declared() -> None:
    assert {golden.filename for golden in GAMES} == {path.name for path in FOLDER.glob("*.txt")}


def test_games_of_every_shape_are_there() -> None:
    environments = {golden.environment for golden in GAMES}
    assert len(environments) >= 10
    assert {golden.players for golden in GAMES} >= {2, 3, 4, 6, 7}


def test_the_command_writes_what_differs_and_check_only_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = '[nim]\nenvironment = "Nim-v0"\nplayers = 2\nseed = 1\nactions = ["[0 3]"]\n'
    (tmp_path / "games.toml").write_text(table)

    assert main([str(tmp_path), "--check"]) == 1
    assert not (tmp_path / "nim.txt").exists()
    assert main([str(tmp_path)]) == 0
    assert "environment: Nim-v0" in (tmp_path / "nim.txt").read_text()
    assert main([str(tmp_path), "--check"]) == 0
    assert "nim.txt: written" in capsys.readouterr().err


def test_a_key_that_a_declaration_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "games.toml").write_text('[nim]\nenviroment = "Nim-v0"\n')
    with pytest.raises(UsageError, match=r"nim: unknown keys \['enviroment'\]"):
        declared(tmp_path)


def test_what_a_player_writes_cannot_be_taken_for_the_files_own_words() -> None:
    hostile = "[0]\n=== natural after 1 turns\n\x1b[2J\x00\ud800"
    text = render(GoldenGame("hostile", "TicTacToe-v0", players=2, seed=1, actions=(hostile,)))
    assert "\n=== natural after 1 turns" not in text
    assert r"| \x1b[2J\x00\ud800" in text
