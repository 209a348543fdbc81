"""A process that ends after any of its commits: the next one comes to the same end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig
from arena.orchestrator import run
from db import Database, Recorder, get_session
from db.fold import Fold
from db.leases import Lease
from db.writer.calls import CallAnswered
from db.writer.subject import Record
from tests.selecting import sampled

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]

# The commits of the game are shared out among this many tests.
SHARES = 12

WHOLE = (
    "SELECT schedule_index, attempt, status, winning_team, termination, reason, turn_count "
    "FROM games ORDER BY 1, 2",
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.submitted, t.invalid, "
    "t.lapse, t.tokens_used FROM game_turns t JOIN games g ON g.id = t.game_id ORDER BY 1, 2, 3",
    "SELECT t.game_id, t.turn_number, c.call_number, c.request_hash, c.model, c.prompt_tokens, "
    "c.response_tokens FROM llm_calls c JOIN game_turns t ON t.id = c.game_turn_id "
    "WHERE c.error_class IS NULL ORDER BY 1, 2, 3",
    "SELECT game_id, agent_id, mu_after, sigma_after FROM rating_changes ORDER BY pool_id, 1, 2",
    "SELECT agent_id, games, turns, invalid_actions, silences, decided, observed, cost "
    "FROM counters WHERE NOT void ORDER BY 1, role, team",
)


def everything(url: str) -> list[list[tuple[Any, ...]]]:
    """All that must not depend on where a process ended: no times, and no orphans."""
    with get_session(url) as session:
        return [
            [tuple(row) for row in session.connection().execute(text(query))] for query in WHOLE
        ]


@dataclass(frozen=True)
class Undisturbed:
    """One game from its first commit to its last; `entered` is a database with its catalogue."""

    config: TournamentConfig
    entered: Path
    commits: Sequence[Sequence[Record]]
    everything: list[list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def undisturbed(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Six players, two of them with a memory; most turns of those take two calls."""
    folder = tmp_path_factory.mktemp("undisturbed")
    config = small(("games: 12", "games: 1"))
    asyncio.run(run(config, url=f"sqlite:///{folder}/entered.db", games=0))
    commits: list[Sequence[Record]] = []

    class Listening(Recorder):
        def append(self, *records: Record) -> asyncio.Future[None]:
            if records:
                commits.append(records)
            return super().append(*records)

    class Listened(Database):
        def recorder(
            self, fold: Fold | None = None, *, lease: Lease | None = None, delegates: bool = False
        ) -> Recorder:
            return Listening(self.url, fold, lease=lease, delegates=delegates)

    url = f"sqlite:///{folder}/whole.db"
    with Listened(url) as database:
        asyncio.run(run(config, url=database))
    assert len(commits) > 25
    return Undisturbed(config, folder / "entered.db", commits, everything(url))


def written(commits: Sequence[Sequence[Record]], url: str) -> None:
    """The same commits, as a process has written them that then ended."""

    async def main() -> None:
        async with Recorder(url) as recorder:
            for records in commits:
                await recorder.append(*records)

    asyncio.run(main())


@pytest.mark.parametrize("share", sampled(range(SHARES), one_in=8))
def test_it_does_not_matter_after_which_commit_a_process_ends(
    undisturbed: Undisturbed, tmp_path: Path, share: int
) -> None:
    commits, expected = undisturbed.commits, undisturbed.everything
    for ended in range(1 + share, len(commits), SHARES):
        url = f"sqlite:///{tmp_path}/{ended}.db"
        shutil.copyfile(undisturbed.entered, tmp_path / f"{ended}.db")
        written(commits[:ended], url)
        summary = asyncio.run(run(undisturbed.config, url=url))

        assert everything(url) == expected, f"after {ended} of {len(commits)} commits"
        assert (summary.games_left, summary.games_void) == (0, 0)
        assert summary.orphans <= 1
        assert summary.calls == len(expected[2]) - _answered(commits[:ended])


def _answered(commits: Sequence[Sequence[Record]]) -> int:
    """How many calls have an answer on disk."""
    return sum(isinstance(record, CallAnswered) for records in commits for record in records)
