"""A tournament from its configuration to games, calls and ratings on record."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig
from arena.core import ConfigError, EnvironmentCrash, Step, UsageError
from arena.environments.textarena import TextArena
from arena.forecast.plan import plan
from arena.orchestrator import Progress, run
from arena.orchestrator.schedule import history
from arena.orchestrator.standings import LiveStandings
from arena.replay.check import check
from db import get_session
from db.errors import Damaged

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


GAMES = "SELECT schedule_index, seed, winning_team, termination, turn_count FROM games ORDER BY 1"
RATINGS = (
    "SELECT a.alias, r.mu, r.sigma, r.games, r.wins FROM agent_trueskill r "
    "JOIN agents a ON a.id = r.agent_id JOIN rating_pools p ON p.id = r.pool_id "
    "ORDER BY p.tournament_id IS NULL, a.alias"
)
ACTIONS = (
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action FROM game_turns t "
    "JOIN games g ON g.id = t.game_id ORDER BY 1, 2"
)


def test_a_whole_tournament_is_played_recorded_and_rated(small: Small, database_url: str) -> None:
    shown: list[Progress] = []

    summary = asyncio.run(run(small(), url=database_url, on_progress=shown.append))

    assert (summary.games_completed, summary.games_void, summary.games_left) == (12, 0, 0)
    assert summary.calls >= summary.turns > 12 * 10
    assert summary.cost == 0.0
    assert shown[-1].games_done == 12
    assert shown[-1].calls_in_flight == 0
    assert [standing.games for standing in summary.standings] == [12] * 6

    assert rows(database_url, "SELECT DISTINCT status FROM games") == [("completed",)]
    assert rows(database_url, "SELECT COUNT(*) FROM game_turns") == [(summary.turns,)]
    assert rows(database_url, "SELECT COUNT(*) FROM llm_calls") == [(summary.calls,)]
    assert rows(database_url, "SELECT status FROM tournaments") == [("finished",)]
    unanswered = "SELECT COUNT(*) FROM llm_calls WHERE response_received_at IS NULL"
    assert rows(database_url, unanswered) == [(0,)]


@pytest.mark.parametrize("concurrency", [1, 7])
def test_what_is_shown_live_follows_from_the_games_alone(
    small: Small, database_url: str, concurrency: int
) -> None:
    summary = asyncio.run(run(small(), url=database_url, concurrency=concurrency))

    agents = sorted(summary.standings, key=lambda row: row.agent_id)
    again = LiveStandings({row.agent_id: row.name for row in agents})
    with get_session(database_url) as session:
        for index, result in history(session, 1).settled.items():
            again.settle(index, result)

    assert again.table() == again.shown() == summary.standings, "to the last bit"
    assert again.shown() is again.shown(), "nothing settled: nothing is folded again"
    assert len({row.mu for row in summary.standings}) > 1


def test_the_same_seed_gives_the_same_games_and_ratings_at_any_concurrency(
    small: Small, tmp_path: Path
) -> None:
    results = []
    for concurrency in (1, 5, 50):
        url = f"sqlite:///{tmp_path}/at-{concurrency}.db"
        asyncio.run(run(small(), url=url, concurrency=concurrency))
        results.append([rows(url, query) for query in (GAMES, ACTIONS, RATINGS)])

    assert results[0] == results[1] == results[2]


def test_another_seed_gives_other_games(small: Small, tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in "ab"]
    asyncio.run(run(small(), url=urls[0]))
    asyncio.run(run(small(("seed: 7", "seed: 8")), url=urls[1]))

    assert rows(urls[0], ACTIONS) != rows(urls[1], ACTIONS)


def test_every_game_played_at_once_replays_from_its_record(small: Small, database_url: str) -> None:
    asyncio.run(run(small(("games: 12", "games: 4")), url=database_url, concurrency=4))

    games = rows(database_url, "SELECT id FROM games")
    reports = [check(int(str(game)), database_url) for (game,) in games]

    assert [(report.ok, report.first_difference) for report in reports] == [(True, None)] * 4
    assert sum(report.turns for report in reports) == len(rows(database_url, ACTIONS))


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE game_turns SET action = 'Me' WHERE turn_number = 7", "record cannot be read"),
        (
            "UPDATE game_turns SET submitted = '[0]' WHERE turn_number = 7",
            "turn 7.*rules are given",
        ),
        ("UPDATE game_turns SET invalid = 1 WHERE turn_number = 7", "turn 7.*was refused"),
        (
            "UPDATE llm_calls SET request_hash = 'x' WHERE id IN (SELECT id FROM llm_calls "
            "ORDER BY id LIMIT 1 OFFSET 7)",
            r"turn \d+.*call \d",
        ),
        ("UPDATE games SET winning_team = 'Nobody'", "on record is 'Nobody'"),
        ("UPDATE games SET seed = seed + 1", "turn 0.*"),
    ],
)
def test_a_record_that_was_tampered_with_does_not_replay(
    small: Small, tmp_path: Path, tampering: str, said: str
) -> None:
    url = f"sqlite:///{tmp_path}/arena.db"
    asyncio.run(run(small(("games: 12", "games: 1")), url=url))
    with get_session(url) as session:
        session.connection().execute(text(tampering))

    report = check(1, url)

    assert not report.ok
    assert report.first_difference is not None
    assert re.search(said, report.first_difference)


def test_a_tournament_goes_on_where_it_stopped(small: Small, tmp_path: Path) -> None:
    whole, parts = (f"sqlite:///{tmp_path}/{name}.db" for name in ("whole", "parts"))
    asyncio.run(run(small(), url=whole))
    for games in (5, 3, None):
        summary = asyncio.run(run(small(), url=parts, games=games))
        assert summary.games_left == {5: 7, 3: 4, None: 0}[games]

    assert rows(parts, RATINGS) == rows(whole, RATINGS)
    assert rows(parts, GAMES) == rows(whole, GAMES)
    assert asyncio.run(run(small(), url=parts)).games_completed == 0


def test_ratings_follow_the_schedule_not_the_clock(small: Small, database_url: str) -> None:
    asyncio.run(run(small(), url=database_url, concurrency=12))

    order = rows(database_url, "SELECT schedule_index FROM games ORDER BY fold_index")
    assert order == [(index,) for index in range(12)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name: SecretMafia-v0", "name: SecretMafai-v0"), r"small.yaml:4: .*SecretMafia-v0"),
        (("players: 6", "players: 5"), r"small.yaml:4: .*6 to 15 players, found players: 5"),
        (("discussion_rounds", "discusion_rounds"), r"small.yaml:4: .*discussion_rounds"),
        (("name: random}\nmodels", "name: randem}\nmodels"), r"small.yaml:7: .*'random'"),
        (("kind: remembering, model: naive", "kind: thinkin, model: naive"), "did you mean 'think"),
        (("scripted/mafia-naive", "scripted/mafia-nave"), "did you mean 'mafia-naive'"),
        (("scripted/mafia-naive", "nowhere/gpt"), "nowhere/gpt.*no provider knows"),
        (
            ("scripted/mafia-naive", "openai/x, api_key_env: NO_KEY_SET"),
            r":10: .*export NO_KEY_SET",
        ),
        (("{{num_players}}", "{{num_player}}"), r"num_player.*did you mean \{\{num_players\}\}"),
        (("  - {name: Fay, kind: remembering, model: naive, prompt: plain}\n", ""), "(?s)5.*6"),
        (("model: naive, prompt: calm", "model: random, prompt: calm"), "the same agent as 'Cid'"),
        (("model: naive, prompt: calm", "model: nave, prompt: calm"), "no model 'nave'.*naive"),
        (("discussion_rounds: 1", "discussion_rounds: many"), r":4: .*expected a whole number"),
        (("discussion_rounds: 1", "discussion_rounds: -3"), r":4: .*a number from 0 to"),
        (("discussion_rounds: 1", "discussion_rounds: 0"), r":4: .*breaks in the middle of a game"),
        (
            (
                "SecretMafia-v0, players: 6, options: {discussion_rounds: 1}",
                "Taboo-v0, players: 6, options: {data_path: /etc/passwd}",
            ),
            r":4: .*leads out of the tournament's folder",
        ),
        (
            (
                "litellm_model: scripted/mafia-naive",
                "litellm_model: scripted/mafia-naive, params: {tools: []}",
            ),
            "nobody would read the calls of tools",
        ),
        (("concurrency: 4", "executor: locale"), r"small.yaml:\d+: unknown executor.*'local'"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is_written(
    small: Small, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    url = f"sqlite:///{tmp_path}/arena.db"

    with pytest.raises(UsageError, match=said):
        asyncio.run(run(small(change), url=url))

    if (tmp_path / "arena.db").exists():
        for table in ("models", "prompts", "agents", "tournaments", "games"):
            assert rows(url, f"SELECT COUNT(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("games: 12", "games: 11"), "another configuration .games is 11, was 12"),
        (("Stay calm", "Be calm"), "prompts.*Be calm"),
        (("name: small\n", "name: other\n"), None),
    ],
)
def test_a_tournament_is_known_by_its_name_and_cannot_be_changed_under_it(
    small: Small, database_url: str, change: tuple[str, str], said: str | None
) -> None:
    asyncio.run(run(small(), url=database_url, games=1))

    if said is None:
        asyncio.run(run(small(change), url=database_url, games=1))
    else:
        with pytest.raises(ConfigError, match=said):
            asyncio.run(run(small(change), url=database_url, games=1))

    count = 1 if said else 2
    assert rows(database_url, "SELECT COUNT(*) FROM tournaments") == [(count,)]


def test_a_prompt_that_was_played_is_never_edited_another_text_is_a_version_of_it(
    small: Small, database_url: str
) -> None:
    asyncio.run(run(small(), url=database_url, games=1))
    prompts = "SELECT name, content, forked_from FROM prompts ORDER BY id"
    before = rows(database_url, prompts)

    other = small(("name: small\n", "name: two\n"), ("Stay calm", "Be calm"))
    asyncio.run(run(other, url=database_url, games=1))

    *same, (name, content, parent) = rows(database_url, prompts)
    assert same == before
    assert (name, parent) == ("calm@2", 1 + [row[0] for row in before].index("calm"))
    assert "Be calm" in str(content)


def test_a_plan_says_what_would_be_played_and_writes_nothing(small: Small, tmp_path: Path) -> None:
    planned = plan(small(), url=f"sqlite:///{tmp_path}/arena.db")

    assert (planned.games, planned.games_done, planned.players) == (12, 0, 6)
    assert planned.balance.games.tolist() == [12] * len(planned.agents)
    assert list(tmp_path.iterdir()) == []


def test_a_tournament_is_not_gone_on_with_by_other_rules(small: Small, database_url: str) -> None:
    asyncio.run(run(small(), url=database_url, games=1))
    with get_session(database_url) as session:
        session.connection().execute(
            text("UPDATE environments SET version = '0.1', fingerprint = 'older'")
        )

    with pytest.raises(ConfigError, match=r"was begun with textarena 0\.1, installed is textarena"):
        asyncio.run(run(small(), url=database_url))

    assert rows(database_url, "SELECT COUNT(*) FROM environments") == [(1,)]


def test_a_damaged_file_is_not_written_to(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "arena.db"
    asyncio.run(run(small(), url=path, games=2))
    whole = bytearray(path.read_bytes())
    whole[8192:12288] = b"\xff" * 4096
    path.write_bytes(whole)

    with pytest.raises(Damaged):
        asyncio.run(run(small(), url=path))

    assert path.read_bytes() == bytes(whole)


def test_rules_that_raise_make_one_game_void_and_the_tournament_goes_on(
    small: Small, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = TextArena.step
    seen: list[str] = []

    def step(self: TextArena, action: str) -> Step:
        # Before the first game, one is played at random, in a thread.
        if threading.current_thread() is threading.main_thread():
            seen.append(action)
        if len(seen) == 5:
            seen.append("raised")
            raise EnvironmentCrash("the rules raised", "Traceback: the rules raised")
        return made(self, action)

    monkeypatch.setattr(TextArena, "step", step)
    summary = asyncio.run(run(small(), url=database_url, concurrency=1))

    assert (summary.games_completed, summary.games_void) == (12, 0)
    assert summary.void_causes == {"environment": 1}
    assert rows(
        database_url,
        "SELECT schedule_index, attempt, error, environment_crashed, final FROM games "
        "WHERE status = 'void'",
    ) == [(0, 0, "Traceback: the rules raised", True, False)]
