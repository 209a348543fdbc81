"""Limits and a cap over workers by the server's own count, which bills what nobody heard of.

A worker is killed, then the whole run, again and again within a minute; it resumes by the same
command until its money is gone.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from arena import registry
from db import get_session
from db.models import GrantedChunk
from db.queries.spending import spent
from tests.servers.openai_server import OpenAIServer
from torture.worker_processes import workers_of

PER_MINUTE = 900
BUDGET = 0.05
# Enough for no call to wait for money: then workers have chunks.
PLENTY = 50.0
INPUT, OUTPUT = 1.0, 2.0
CONFIG = """
name: many
seed: 7
executor: processes
executor_options: {{workers: {workers}}}
environment: {{name: SecretMafia-v0, players: 6, options: {{discussion_rounds: 1}}}}
games: 100
concurrency: 14
matchmaker: {{name: random}}
models:
  - name: far
    litellm_model: openai/far
    api_base: "{url}"
    input_price: {input}
    output_price: {output}
    params: {{max_tokens: 50}}
    limits: {{requests_per_minute: {per_minute}}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}} of {{{{num_players}}}}."}}
  - {{name: calm, text: "You are player {{{{player_index}}}}. Stay calm."}}
  - {{name: loud, text: "You are player {{{{player_index}}}}. Be loud."}}
agents:
  - {{name: Ann, model: far, prompt: plain}}
  - {{name: Bob, model: far, prompt: calm}}
  - {{name: Cid, kind: remembering, model: far, prompt: plain}}
  - {{name: Dot, kind: remembering, model: far, prompt: calm}}
  - {{name: Eve, model: far, prompt: loud}}
  - {{name: Fay, kind: remembering, model: far, prompt: loud}}
"""


class Billing:
    """Plays at random, and bills every request."""

    def __init__(self) -> None:
        self.dollars = 0.0

    def __call__(self, body: dict[str, Any]) -> str:
        rng = random.Random(body["messages"][-1]["content"])
        text = str(registry.policy("random")(body["messages"], rng))
        asked = sum(len(str(message["content"] or "").split()) for message in body["messages"])
        self.dollars += (asked * INPUT + max(len(text.split()), 1) * OUTPUT) / 1e6
        return text


def started(config: Path, url: str, budget: float) -> subprocess.Popen[str]:
    typed = ["run", str(config), "--db", url, "--budget", f"{budget:.4f}"]
    return subprocess.Popen(
        [sys.executable, "-m", "arena.cli", *typed],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=config.parent,
        env={**os.environ, "OPENAI_API_KEY": "none"},
    )


def granted(url: str) -> set[tuple[int, str]]:
    """The fences and workers of the chunks on record."""
    with get_session(url) as session:
        return {(row.fence, row.worker) for row in session.exec(select(GrantedChunk))}


def charged(url: str) -> float:
    """Dollars, by the record."""
    with get_session(url) as session:
        return sum(spent(session, 1).values())


def answered(
    server: OpenAIServer, more: int, running: subprocess.Popen[str], url: str = "", fence: int = 0
) -> None:
    """Returns when so many more requests have come in, and workers have chunks under a fence where
    one is given, or the run has ended."""
    wanted = len(server.requests) + more
    while running.poll() is None:
        time.sleep(0.1)
        if len(server.requests) >= wanted and (
            not fence or any(each == fence for each, _ in granted(url))
        ):
            return


def written(server: OpenAIServer, *, workers: int, per_minute: int = PER_MINUTE) -> str:
    return CONFIG.format(
        url=server.url,
        input=INPUT,
        output=OUTPUT,
        per_minute=per_minute,
        workers=workers,
    )


def busiest(server: OpenAIServer) -> int:
    """The most requests of any minute."""
    times = [request.at for request in server.requests]
    return max(
        sum(1 for at in times[place:] if at <= begun + 60.0) for place, begun in enumerate(times)
    )


@pytest.mark.slow
@pytest.mark.sweep
def test_limit_and_cap_hold_over_four_workers_by_the_servers_count(
    postgresql_url: str, tmp_path: Path
) -> None:
    bill = Billing()
    config = tmp_path / "many.yaml"
    with OpenAIServer(bill, latency=1.0) as server:
        config.write_text(written(server, workers=4))
        first = started(config, postgresql_url, BUDGET)
        answered(server, 150, first)
        workers = workers_of(first.pid)
        assert len(workers) == 4
        os.kill(workers[0], signal.SIGKILL)
        answered(server, 150, first)
        first.kill()
        first.communicate()
        second = started(config, postgresql_url, BUDGET)
        said, _ = second.communicate(timeout=600)

    most = busiest(server)
    print(
        len(server.requests), "requests,", most, "at most a minute,", f"${bill.dollars:.4f};", said
    )
    assert most <= 1.1 * PER_MINUTE
    # The run stops before a game that it may not be able to pay to its end.
    assert 0.8 * BUDGET < bill.dollars <= BUDGET
    assert "the budget is reached" in said or "does not pay another game" in said


@pytest.mark.slow
@pytest.mark.sweep
def test_a_run_with_chunks_that_is_killed_again_and_again_keeps_its_limit(
    postgresql_url: str, tmp_path: Path
) -> None:
    bill = Billing()
    config = tmp_path / "many.yaml"
    with OpenAIServer(bill, latency=1.0) as server:
        config.write_text(written(server, workers=4))
        for fence in (1, 2, 3):
            running = started(config, postgresql_url, PLENTY)
            answered(server, 60, running, postgresql_url, fence)
            running.kill()
            said, _ = running.communicate()
            # What workers of a killed run were granted is on record until the next one begins.
            assert {each for each, _ in granted(postgresql_url)} == {fence}, said

    assert busiest(server) <= 1.1 * PER_MINUTE
    assert bill.dollars <= charged(postgresql_url)


@pytest.mark.slow
def test_what_workers_may_send_is_on_record_while_they_live(
    postgresql_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "many.yaml"
    with OpenAIServer(Billing(), latency=0.1) as server:
        # A limit that calls wait for leaves nothing to hand out.
        config.write_text(written(server, workers=2, per_minute=1_000_000))
        running = started(config, postgresql_url, PLENTY)
        answered(server, 1, running, postgresql_url, fence=1)
        running.kill()
        said, _ = running.communicate()

    assert {fence for fence, _ in granted(postgresql_url)} == {1}, said
