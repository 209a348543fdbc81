"""A process that ends after any of its commits: the next one comes to the same end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig
from arena.orchestrator import run
from db import Recorder, get_session
from db.writer.calls import CallAnswered
from db.writer.subject import Record

Small = Callable[..., TournamentConfig]

WHOLE = (
    "SELECT schedule_index, attempt, status, winning_team, termination, reason, turn_count "
    "FROM games ORDER BY 1, 2",
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.submitted, t.invalid, "
    "t.lapse, t.tokens_used FROM game_turns t JOIN games g ON g.id = t.game_id ORDER BY 1, 2, 3",
    "SELECT t.game_id, t.turn_number, c.call_number, c.request_hash, c.model, c.prompt_tokens, "
    "c.response_tokens FROM llm_calls c JOIN game_turns t ON t.id = c.game_turn_id "
    "WHERE c.error_class IS NULL ORDER BY 1, 2, 3",
    "SELECT game_id, agent_id, mu_after, sigma_after FROM rating_changes ORDER BY pool_id, 1, 2",
    "SELECT agent_id, games, turns, invalid_actions, silences, decided FROM conduct ORDER BY 1",
)


def everything(url: str) -> list[list[tuple[Any, ...]]]:
    """All that must not depend on where a process ended: no times, and no orphans."""
    with get_session(url) as session:
        return [
            [tuple(row) for row in session.connection().execute(text(query))] for query in WHOLE
        ]


@pytest.fixture
def one_game(small: Small) -> TournamentConfig:
    """Six players, two of them with a memory; most turns of those take two calls."""
    return small(("games: 12", "games: 1"))


def played(
    config: TournamentConfig, url: str, monkeypatch: pytest.MonkeyPatch
) -> list[Sequence[Record]]:
    """Plays the tournament: what was committed, commit by commit."""
    commits: list[Sequence[Record]] = []

    class Listening(Recorder):
        def append(self, *records: Record) -> asyncio.Future[None]:
            if records:
                commits.append(records)
            return super().append(*records)

    monkeypatch.setattr(import_module("arena.orchestrator.run"), "Recorder", Listening)
    asyncio.run(run(config, url=url))
    monkeypatch.undo()
    return commits


def written(commits: Sequence[Sequence[Record]], url: str) -> None:
    """The same commits, as a process has written them that then ended."""

    async def main() -> None:
        async with Recorder(url) as recorder:
            for records in commits:
                await recorder.append(*records)

    asyncio.run(main())


def test_it_does_not_matter_after_which_commit_a_process_ends(
    one_game: TournamentConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, entered = f"sqlite:///{tmp_path}/whole.db", tmp_path / "entered.db"
    asyncio.run(run(one_game, url=f"sqlite:///{entered}", games=0))
    commits = played(one_game, whole, monkeypatch)
    expected = everything(whole)
    assert len(commits) > 25

    for ended in range(1, len(commits), 2):
        url = f"sqlite:///{tmp_path}/{ended}.db"
        shutil.copyfile(entered, tmp_path / f"{ended}.db")
        written(commits[:ended], url)
        summary = asyncio.run(run(one_game, url=url))

        assert everything(url) == expected, f"after {ended} of {len(commits)} commits"
        assert (summary.games_left, summary.games_void) == (0, 0)
        assert summary.orphans <= 1
        assert summary.calls == len(expected[2]) - _answered(commits[:ended])


def _answered(commits: Sequence[Sequence[Record]]) -> int:
    """How many calls have an answer on disk."""
    return sum(isinstance(record, CallAnswered) for records in commits for record in records)
