"""A few games that were really played, and their pages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.cli.commands import run_arena
from tests.viewer.browser import TOURNAMENT, Get, browsing
from tests.viewer.serving import Served, serving
from tests.viewer.tables import play_tables
from torture.commands import Commands


@pytest.fixture(scope="session")
def served(commands: Commands) -> Served:
    """`arena view` over a database, as it is typed."""
    return partial(serving, commands)


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of the small tournament, played once."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "watched.yaml").write_text(TOURNAMENT)
    result = run_arena("run", folder / "watched.yaml", "--db", folder / "watched.db")
    assert result.exit_code == 0, result.stderr
    return f"sqlite:///{folder / 'watched.db'}"


@pytest.fixture
def get(watched: str) -> Iterator[Get]:
    """The pages of that database, with the cookie."""
    with browsing(watched) as ask:
        yield ask


@pytest.fixture(scope="session")
def boarded(watched: str) -> str:
    """The same database with its board stored."""
    result = run_arena("leaderboard", "--db", watched)
    assert result.exit_code == 0, result.stderr
    return watched


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database with a game of boards, cards, rounds, offers and clues each."""
    return play_tables(tmp_path_factory.mktemp("tables"))
