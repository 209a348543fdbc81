"""Games whose agents call tools: recorded, resumed and replayed to the same rows, whatever plays
them, and no recorded call is run again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.orchestrator import run
from arena.replay.branch import branch
from arena.replay.check import check
from db import Database, Recorder, get_session
from db.fold import Fold
from db.leases import Lease
from db.queries.transcript import TurnRow, transcript
from db.writer.subject import Record
from tests.selecting import sampled

TOOLED = """
name: tooled
seed: 7
environment: {name: SecretMafia-v0, players: 6, options: {discussion_rounds: 1}}
games: 2
concurrency: 2
matchmaker: {name: random}
models:
  - {name: diligent, litellm_model: scripted/mafia-diligent, stream: false}
  - {name: naive, litellm_model: scripted/mafia-naive}
prompts:
  - {name: plain, text: "You are player {{player_index}} of {{num_players}}."}
  - {name: calm, text: "You are player {{player_index}}. Stay calm."}
agents:
  - {name: Ann, model: diligent, prompt: plain, tools: [notes, votes, calculator, search]}
  - {name: Bob, model: diligent, prompt: calm, tools: [notes], tool_limits: {calls: 1}}
  - {name: Cid, model: naive, prompt: plain, tools: [votes]}
  - {name: Dot, model: naive, prompt: calm}
  - {name: Eve, kind: remembering, model: diligent, prompt: plain, tools: [{search: {most: 3}}]}
  - {name: Fay, kind: remembering, model: naive, prompt: calm}
"""

WHOLE = (
    "SELECT schedule_index, attempt, status, winning_team, termination, turn_count "
    "FROM games ORDER BY 1, 2",
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.lapse "
    "FROM game_turns t JOIN games g ON g.id = t.game_id ORDER BY 1, 2, 3",
    "SELECT t.game_id, t.turn_number, c.call_number, c.prompt_tokens, c.response_tokens "
    "FROM llm_calls c JOIN game_turns t ON t.id = c.game_turn_id "
    "WHERE c.error_class IS NULL ORDER BY 1, 2, 3",
    "SELECT t.game_id, t.turn_number, u.tool_index, u.call_number, u.tool, u.function, u.error "
    "FROM tool_calls u JOIN game_turns t ON t.id = u.game_turn_id ORDER BY 1, 2, 3",
    "SELECT agent_id, mu, sigma, games FROM agent_trueskill ORDER BY pool_id, agent_id",
)


SITTING = (
    "SELECT p.player_index FROM game_players p JOIN agents a ON a.id = p.agent_id "
    "WHERE p.game_id = 1 AND a.alias = 'Dot'"
)


def tooled(*changes: tuple[str, str]) -> TournamentConfig:
    written = TOOLED
    for before, after in changes:
        assert before in written
        written = written.replace(before, after)
    return loads(written, source="tooled.yaml")


def everything(url: str) -> list[Any]:
    """All rows that must not depend on times, and what every tool was asked and said."""
    with get_session(url) as session:
        rows: list[Any] = [
            [tuple(row) for row in session.connection().execute(text(query))] for query in WHOLE
        ]
        games = session.connection().execute(text("SELECT id FROM games ORDER BY id")).scalars()
        said = [
            (each.arguments, each.result)
            for game in games.all()
            for turn in transcript(session, game)
            for each in turn.tools
        ]
    return [*rows, said]


def turns_of(url: str, game: int) -> list[TurnRow]:
    with get_session(url) as session:
        return transcript(session, game)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/whole.db"
    asyncio.run(run(tooled(), url=url))
    return everything(url)


def test_calls_of_tools_are_on_record_with_what_was_asked_and_said(undisturbed: list[Any]) -> None:
    *_, tools, _, said = undisturbed

    assert {tool for *_, tool, _, _ in tools} >= {"notes", "calculator", "search"}
    assert "limit" in {error for *_, error in tools}
    assert all(result is not None for _, result in said)
    assert any(result.startswith("written as note 1") for _, result in said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("executor", "stream"),
    [
        ("local", True),
        pytest.param("processes", False, marks=pytest.mark.sweep),
        pytest.param("processes", True, marks=pytest.mark.sweep),
    ],
)
def test_the_same_games_whoever_plays_them_streamed_or_not(
    undisturbed: list[Any], database_url: str, executor: str, stream: bool
) -> None:
    config = tooled(
        ("seed: 7", f"seed: 7\nexecutor: {executor}"),
        ("stream: false", f"stream: {str(stream).lower()}"),
    )
    asyncio.run(run(config, url=database_url))

    assert everything(database_url) == undisturbed
    for game in (1, 2):
        assert check(game, database_url).first_difference is None


@pytest.mark.slow
def test_a_branch_takes_recorded_calls_and_runs_tools_after_them(
    undisturbed: list[Any], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/branched.db"
    asyncio.run(run(tooled(("games: 2", "games: 1")), url=url))
    before = turns_of(url, 1)
    asking = [place for place, row in enumerate(before) if row.tools]
    turn = asking[len(asking) // 2]
    with get_session(url) as session:
        dot = session.connection().execute(text(SITTING)).scalar_one()

    report = asyncio.run(branch(1, turn, {dot: "Cid"}, url=url, uncapped=True))

    assert report.void == 0
    for game in report.finished:
        after = turns_of(url, game)
        assert [row.action for row in after[:turn]] == [row.action for row in before[:turn]]
        assert any(row.tools for row in after[turn:])
        assert not any(row.tools for row in after[:turn]), "the prefix is the game's own"
        assert check(game, url).first_difference is None


@pytest.mark.slow
@pytest.mark.parametrize("share", sampled(range(36), one_in=36))
def test_it_does_not_matter_after_which_commit_a_process_ends(tmp_path: Path, share: int) -> None:
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

    config = tooled(("games: 2", "games: 1"))
    asyncio.run(run(config, url=f"sqlite:///{tmp_path}/entered.db", games=0))
    with Listened(f"sqlite:///{tmp_path}/whole.db") as database:
        asyncio.run(run(config, url=database))
    expected = everything(f"sqlite:///{tmp_path}/whole.db")
    assert len(commits) > 25

    for ended in range(1 + share, len(commits), 36):
        url = f"sqlite:///{tmp_path}/{ended}.db"
        shutil.copyfile(tmp_path / "entered.db", tmp_path / f"{ended}.db")
        asyncio.run(_written(commits[:ended], url))
        asyncio.run(run(config, url=url))

        assert everything(url) == expected, f"after {ended} of {len(commits)} commits"


async def _written(commits: Sequence[Sequence[Record]], url: str) -> None:
    async with Recorder(url) as recorder:
        for records in commits:
            await recorder.append(*records)
