"""Ctrl-C in a terminal goes to a whole process group: workers play on until their games have ended
their turn, and then the run stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from arena.replay.check import check
from db import Database
from db.queries.schedule import open_games
from tests.executors.test_processes import Provider, results
from tests.servers.openai_server import OpenAIServer, Reply
from torture.worker_processes import living, workers_of

pytestmark = [pytest.mark.slow, pytest.mark.sweep]

FILE = """
name: village
seed: 7
environment: {{name: SecretMafia-v0, players: 6, options: {{discussion_rounds: 1}}}}
games: 2
concurrency: 2
models: [{{name: far, litellm_model: openai/far, api_base: "{url}", input_price: 0}}]
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
  - {{name: calm, text: "You are player {{{{player_index}}}}. Stay calm."}}
  - {{name: loud, text: "You are player {{{{player_index}}}}. Be loud."}}
agents:
  - {{name: Ann, model: far, prompt: plain}}
  - {{name: Bob, kind: remembering, model: far, prompt: plain}}
  - {{name: Cid, model: far, prompt: calm}}
  - {{name: Dot, kind: remembering, model: far, prompt: calm}}
  - {{name: Eve, model: far, prompt: loud}}
  - {{name: Fay, kind: remembering, model: far, prompt: loud}}
"""


class Held(Provider):
    """From the tenth request on, answers are held until `go` is set; `full` says that there is one
    of each game."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.full = threading.Event()

    def __call__(self, body: dict[str, object]) -> Reply | str:
        text = super().__call__(body)
        assert isinstance(text, str)
        if self.requests < 10:
            return text
        if self.requests > 10:
            self.full.set()
        return Reply(text, after=self.go)


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_workers_with_the_run_and_nothing_is_lost(tmp_path: Path, presses: int) -> None:
    provider, path, url = Held(), tmp_path / "village.yaml", f"sqlite:///{tmp_path}/a.db"
    with OpenAIServer(provider) as server:
        path.write_text(FILE.format(url=server.url))
        command = [sys.executable, "-m", "arena.cli", "run", str(path), "--db", url]
        with subprocess.Popen(
            [*command, "--executor", "processes"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert provider.full.wait(120)
            workers = workers_of(process.pid)
            os.killpg(process.pid, signal.SIGINT)
            assert process.stderr is not None
            while "stopping: running games finish their turn" not in process.stderr.readline():
                pass
            assert living(workers) == workers
            if presses == 1:
                provider.go.set()
            else:
                os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=120)
        asked = provider.requests
        provider.go.set()
        with Database(url) as database, database.session() as session:
            begun = [game.begun for game in open_games(session, 1)]

        assert process.returncode == 130
        assert "--executor processes" in said, "what to type to go on"
        assert living(workers) == []
        assert begun == [True, True]
        resumed = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ("calls were in flight" in resumed.stderr) == (presses == 2)
        again = provider.requests - asked

        alone = f"sqlite:///{tmp_path}/alone.db"
        provider.requests = 0
        path.write_text(FILE.format(url=server.url))
        subprocess.run([*command[:-1], alone], capture_output=True, check=True)

    assert asked + again == provider.requests + (2 if presses == 2 else 0)
    assert results(url) == results(alone)
    assert check(1, url).ok
