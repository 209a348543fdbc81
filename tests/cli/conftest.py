"""A small tournament that was really played, for the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, Arena, run_arena


@pytest.fixture
def arena() -> Arena:
    return run_arena


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
