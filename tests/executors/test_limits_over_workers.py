"""Limits and a cap over four workers by the server's own count, which bills what nobody heard of.

A worker is killed, then the whole run, which resumes by the same command until its money is gone.
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

from arena import registry
from tests.servers.openai_server import OpenAIServer
from torture.worker_processes import workers_of

PER_MINUTE = 900
BUDGET = 0.05
INPUT, OUTPUT = 1.0, 2.0
CONFIG = """
name: many
seed: 7
executor: processes
executor_options: {{workers: 4}}
environment: {{name: SecretMafia-v0, players: 6, options: {{discussion_rounds: 1}}}}
games: 100
concurrency: 14
budget: {budget}
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


def started(config: Path, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "arena.cli", "run", str(config), "--db", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=config.parent,
        env={**os.environ, "OPENAI_API_KEY": "none"},
    )


def answered(server: OpenAIServer, more: int, running: subprocess.Popen[str]) -> None:
    """Returns when so many more requests have come in, or the run has ended."""
    wanted = len(server.requests) + more
    while len(server.requests) < wanted and running.poll() is None:
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.sweep
def test_limit_and_cap_hold_over_four_workers_by_the_servers_count(
    postgresql_url: str, tmp_path: Path
) -> None:
    bill = Billing()
    config = tmp_path / "many.yaml"
    with OpenAIServer(bill, latency=1.0) as server:
        config.write_text(
            CONFIG.format(
                url=server.url, budget=BUDGET, input=INPUT, output=OUTPUT, per_minute=PER_MINUTE
            )
        )
        first = started(config, postgresql_url)
        answered(server, 150, first)
        workers = workers_of(first.pid)
        assert len(workers) == 4
        os.kill(workers[0], signal.SIGKILL)
        answered(server, 150, first)
        first.kill()
        first.communicate()
        second = started(config, postgresql_url)
        said, _ = second.communicate(timeout=600)

    times = [request.at for request in server.requests]
    busiest = max(
        sum(1 for at in times[place:] if at <= begun + 60.0) for place, begun in enumerate(times)
    )
    print(len(times), "requests,", busiest, "in the busiest minute,", f"${bill.dollars:.4f};", said)
    assert busiest <= 1.1 * PER_MINUTE
    # The run stops before a game that it may not be able to pay to its end.
    assert 0.8 * BUDGET < bill.dollars <= BUDGET
    assert "the budget is reached" in said or "does not pay another game" in said
