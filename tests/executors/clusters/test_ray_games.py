"""Games that the workers of a Ray cluster play are those that one process plays, whatever happens
to a worker."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from arena.config import TournamentConfig
from arena.core import ConfigError, UsageError
from arena.executors.ray.executor import RayExecutor
from arena.orchestrator import Summary, run
from arena.replay.branch import branch
from arena.replay.check import check
from arena.testing import check_executor
from tests.executors.test_processes import Provider, results, tournament
from tests.servers.openai_server import OpenAIServer
from torture.ray_nodes import ray_workers

SILENCE = 8.0


def by_ray(url: str, games: int, **options: Any) -> TournamentConfig:
    made = tournament(url, "ray", games, concurrency=games)
    return made.model_copy(update={"executor_options": options})


def gone(patience: float = 60.0) -> None:
    """Returns once no worker is left: Ray kills those that do not end by themselves."""
    until = time.monotonic() + patience
    while left := ray_workers():
        assert time.monotonic() < until, left
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_worker_of_the_cluster_that_is_killed_or_frozen_loses_nothing(
    ray_address: str, postgresql_url: str, sqlite_url: str, number: int
) -> None:
    """Of a frozen one nothing is written any more, also when it wakes up: it is killed, and its
    session would be refused (tests/db/test_delegates.py)."""
    provider = Provider()
    disturbed: list[int] = []

    def disturb() -> None:
        disturbed.append(ray_workers()[0])
        os.kill(disturbed[0], number)

    with OpenAIServer(provider) as server:
        alone = asyncio.run(run(tournament(server.url, "local", 2), url=sqlite_url))
        asked, provider.requests = provider.requests, 0
        provider.meanwhile = disturb
        # Long enough that on a busy machine nobody else is taken for dead.
        silence = SILENCE if number == signal.SIGSTOP else 120.0
        config = by_ray(server.url, 2, address=ray_address, workers=2, silence=silence)
        together: Summary = asyncio.run(run(config, url=postgresql_url))

    assert disturbed
    assert (together.games_completed, together.turns) == (2, alone.turns)
    assert provider.requests - asked == together.orphans <= 1
    (said,) = together.news
    assert said.startswith("Ray worker ")
    assert (f"has said nothing for {SILENCE:g} s" in said) == (number == signal.SIGSTOP)
    assert said.endswith(": another is started, and its 1 game resumes from the record")
    assert results(postgresql_url) == results(sqlite_url)
    assert all(check(game, postgresql_url).ok for game in (1, 2))
    gone()


@pytest.mark.sweep
def test_workers_without_a_place_hold_up_nobody(ray_address: str) -> None:
    """Of five that are wanted three have a place: a run is played by those, and says so."""
    executor = RayExecutor(concurrency=5, address=ray_address, workers=5, together=8.0)
    done: list[int] = []

    async def play(item: int, slot: Any) -> None:
        done.append(item)

    asyncio.run(executor.run(range(5), play))

    assert sorted(done) == [*range(5)]
    assert executor.news[0].startswith("2 of 5 workers have no place yet")


@pytest.mark.sweep
def test_the_executor_keeps_the_protocol(ray_address: str) -> None:
    check_executor(
        lambda concurrency: RayExecutor(concurrency=concurrency, address=ray_address, workers=1)
    )


def test_a_node_without_the_key_of_a_model_is_named(
    ray_address: str, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nodes were started without it: it is looked for there before a game begins."""
    monkeypatch.setenv("LOOPBACK_ACCESS", "sk-here-only")
    with OpenAIServer(Provider()) as server:
        config = by_ray(server.url, 1, address=ray_address, workers=1)
        models = tuple(
            model.model_copy(update={"api_key_env": "LOOPBACK_ACCESS"})
            if model.name == "far"
            else model
            for model in config.models
        )
        config = config.model_copy(update={"models": models})
        with pytest.raises(UsageError, match=r"on the node .* of the cluster: .*LOOPBACK_ACCESS"):
            asyncio.run(run(config, url=postgresql_url))


def test_sqlite_is_refused_before_anything_is_written(sqlite_url: str) -> None:
    config = by_ray("http://127.0.0.1:1", 1)
    with pytest.raises(ConfigError, match="a PostgreSQL database, found sqlite: type `--db postg"):
        asyncio.run(run(config, url=sqlite_url))
    with pytest.raises(UsageError, match="a PostgreSQL database, found sqlite: type `--db postg"):
        asyncio.run(branch(1, 0, {0: "Ann"}, executor="ray", url=sqlite_url))
