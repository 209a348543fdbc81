"""A referee without a price, one that answers too late or from the cache, and one that waits."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from arena.config import loads
from arena.core import ConfigError
from arena.orchestrator import run
from arena.replay.check import check
from tests.scenarios.judged import Gate, answer, rows, step_of, write
from tests.scenarios.test_referees import JUDGED
from tests.servers.openai_server import OpenAIServer, Reply
from tests.strangers import Install, install

__all__ = ["install"]

WAITS = """
    import os
    from arena.core import Action, Suspend

    class Waits:
        '''Judges once a file is there.'''
        version = 1

        def __init__(self, *, prompt, options):
            self.options = options

        async def act(self, observation, llm):
            if not os.path.exists(os.environ["WAITS_FOR"]):
                raise Suspend("a file")
            asked = [{"role": "user", "content": observation.text}]
            return Action((await llm.complete(asked)).text)
"""
COMPLETED = "SELECT COUNT(*) FROM games WHERE status = 'completed'"


def test_a_referee_without_a_price_names_its_line_under_a_budget(sqlite_url: str) -> None:
    changed = JUDGED.replace(
        "scripted/scenario-referee", "openai/unknown, api_base: 'http://127.0.0.1:9'"
    )
    changed = changed.replace("games: 2", "games: 2\nbudget: 1")
    line = 1 + next(n for n, said in enumerate(changed.split("\n")) if "unknown" in said)

    with pytest.raises(ConfigError) as raised:
        asyncio.run(run(loads(changed, source="judged.yaml"), url=sqlite_url))

    assert f"judged.yaml:{line}" in str(raised.value)
    assert "model 'judge' (openai/unknown) has no known price" in str(raised.value)
    assert rows(sqlite_url, "SELECT COUNT(*) FROM tournaments") == [(0,)]


@pytest.mark.slow
def test_a_referee_that_answers_too_late_is_asked_again(sqlite_url: str, tmp_path: Path) -> None:
    never, late = threading.Event(), []

    def reply(body: dict[str, Any]) -> Reply:
        if step_of(body) == "first" and not late:
            late.append(body)
            return Reply(answer(body), after=never)
        return Reply(answer(body))

    with OpenAIServer(reply) as server:
        file = write(tmp_path, server.url, more="llm: {timeout: 2, retries: 4}\nbudget: 1")
        config = loads(file.read_text(), source="duel.yaml", folder=tmp_path)
        ended = asyncio.run(run(config, url=sqlite_url))
        never.set()

    assert (ended.games_completed, ended.games_void) == (2, 0)
    assert ended.failed_calls >= 1


@pytest.mark.slow
def test_verdicts_come_from_the_cache_as_any_answer(sqlite_url: str, tmp_path: Path) -> None:
    with OpenAIServer(Gate().reply) as server:
        for name in ("duel", "again"):
            more = "cache: {ttl: 86400, rated: true}\nbudget: 1"
            file = write(tmp_path, server.url, more=more)
            text = file.read_text().replace("name: duel\n", f"name: {name}\n")
            asked = len(server.requests)
            ended = asyncio.run(run(loads(text, folder=tmp_path), url=sqlite_url))
            assert ended.games_completed == 2
        assert len(server.requests) == asked, "the second tournament asked nobody"
    assert rows(sqlite_url, COMPLETED) == [(4,)]
    assert all(check(game, sqlite_url).ok for (game,) in rows(sqlite_url, "SELECT id FROM games"))


@pytest.mark.slow
def test_a_kind_that_waits_may_judge(
    install: Install, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(WAITS, {"agents": {"waits": "Waits"}})
    there = tmp_path / "there"
    monkeypatch.setenv("WAITS_FOR", str(there))
    seat = "{name: Ruth, kind: waits, model: judge, prompt: judge}"
    trial = loads(JUDGED.replace("{model: judge, prompt: judge}", seat))

    ended = asyncio.run(run(trial, url=sqlite_url))
    assert (ended.games_completed, ended.suspended) == (0, 2)
    there.touch()
    ended = asyncio.run(run(trial, url=sqlite_url))

    assert (ended.games_completed, ended.suspended) == (2, 0)
    assert rows(sqlite_url, "SELECT DISTINCT turn_count FROM games") == [(11,)]
