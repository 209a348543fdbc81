"""A small tournament that was really played, for the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, Arena, Screen, Shown, Terminal, run_arena


@pytest.fixture
def arena() -> Arena:
    return run_arena


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Makes stdout and stderr a terminal of so many columns; a command is typed as usual."""

    def of_width(width: int) -> Shown:
        screen = Screen()
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setattr("sys.stderr", screen)
        return Shown(width, screen)

    return of_width


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("config") / "small.yaml"
    file.write_text(TOURNAMENT)
    return file


@pytest.fixture(scope="session")
def played(config: Path) -> str:
    """The database of the small tournament, played once for all tests that only read it."""
    db = config.parent / "played.db"
    result = run_arena("run", config, "--db", db)
    assert result.exit_code == 0, result.stderr
    return str(db)
