"""A scenario is written, checked, run, killed, resumed, replayed, looked at, changed and run again:
with a referee, over HTTP, through the command line, on both databases."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from db import get_session
from tests.scenarios.files import NOTE
from tests.servers.openai_server import OpenAIServer, Reply
from tests.viewer.browser import browsing
from torture.commands import Commands

pytestmark = [pytest.mark.slow, pytest.mark.sweep]

DUEL = """\
name: Two words
description: Each says a word. {{texts.note}}
texts: [{name: note, file: note.txt}]
personas:
  - {name: Ada, private: {goals: [say little]}}
  - {name: Ben}
scenes:
  - {title: Words, timeout_turns: 2, success: {referee: Were both heard}}
narrator: [{after: 1, say: One has spoken.}]
referee:
  instructions: Who said the better word?
  fields: [{name: better, options: [Ada, Ben]}, {name: margin, number: [1, 5]}]
scoring:
  - {persona: Ada, verdict: better, worth: {Ada: 1}}
  - {persona: Ben, verdict: better, worth: {Ben: 1}}
"""

TOURNAMENT = """\
name: duel
seed: 5
environment:
  name: scenario-duel
  players: 2
  options: {{file: duel.yaml}}
  referee: {{model: judge, prompt: judge}}
games: 4
concurrency: {concurrency}
matchmaker: {{name: round-robin, blocks: true}}
models:
  - {{name: one, litellm_model: openai/random, {paid}}}
  - {{name: judge, litellm_model: openai/scenario-referee, {paid}}}
prompts:
  - {{name: plain, text: Play.}}
  - {{name: other, text: Play well.}}
  - {{name: judge, text: Judge.}}
agents:
  - {{name: Xan, model: one, prompt: plain}}
  - {{name: Yve, model: one, prompt: other}}
"""

ROWS = (
    "SELECT schedule_index, status, winning_team, termination, reason, turn_count FROM games "
    "ORDER BY 1",
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.invalid FROM game_turns t "
    "JOIN games g ON g.id = t.game_id ORDER BY 1, 2",
    "SELECT g.schedule_index, e.seq, k.name, e.source, e.audience FROM game_events e "
    "JOIN event_types k ON k.id = e.kind JOIN games g ON g.id = e.game_id ORDER BY 1, 2",
    "SELECT g.schedule_index, c.agent_id, c.mu_after, c.sigma_after FROM rating_changes c "
    "JOIN games g ON g.id = c.game_id ORDER BY c.pool_id, g.fold_index, c.agent_id",
)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def test_a_scenario_with_a_referee_from_its_file_to_its_pages(
    commands: Commands, database_url: str, tmp_path: Path
) -> None:
    held, judged = threading.Event(), threading.Event()

    def reply(body: dict[str, Any]) -> Reply:
        policy = registry.policy(body["model"])
        said = policy(body["messages"], random.Random(json.dumps(body["messages"])))
        if body["model"] == "random":
            return Reply(said)
        judged.set()
        return Reply(said, after=held)

    (tmp_path / "duel.yaml").write_text(DUEL)
    (tmp_path / "note.txt").write_text(NOTE)
    file = tmp_path / "tournament.yaml"
    with OpenAIServer(reply) as server:
        paid = (
            f"api_base: {server.url}, input_price: 1, output_price: 1, params: {{max_tokens: 99}}"
        )

        def write(concurrency: int = 2) -> None:
            file.write_text(TOURNAMENT.format(paid=paid, concurrency=concurrency))

        # Run, and killed while the referee thinks.
        write()
        run = commands.start("run", file, "--db", database_url, "--budget", "1")
        deadline = time.monotonic() + 300
        while not judged.wait(1) and run.running() and time.monotonic() < deadline:
            pass
        assert judged.is_set(), run.wait().stderr
        run.signal()
        run.wait()
        assert rows(database_url, "SELECT COUNT(*) FROM games WHERE status = 'completed'") == [(0,)]
        held.set()

        # Resumed, without the scenario's files: they stand in the tournament on record.
        (tmp_path / "duel.yaml").rename(tmp_path / "kept.yaml")
        ended = commands.run("resume", "duel", "--db", database_url)
        assert ended.code == 0, ended.stderr
        (tmp_path / "kept.yaml").rename(tmp_path / "duel.yaml")

        # The same rows as a run that nobody stopped, one game at a time.
        whole = f"sqlite:///{tmp_path / 'whole.db'}"
        write(concurrency=1)
        ended = commands.run("run", file, "--db", whole, "--budget", "1")
        assert ended.code == 0, ended.stderr
        for query in ROWS:
            assert rows(database_url, query) == rows(whole, query)
        asked = len(server.requests)

        # Replayed: no model is asked.
        for words in (
            ("replay", "--all", "--check"),
            ("counters", "rebuild", "--check"),
            ("events", "rebuild", "--check"),
        ):
            ended = commands.run(*words, "--db", database_url)
            assert ended.code == 0, ended.stderr
        assert len(server.requests) == asked

        # The referee is paid, on record, and rated nowhere.
        (spent,) = rows(
            database_url,
            "SELECT SUM(n.charged), SUM(n.answered), SUM(n.orphans), SUM(n.games) FROM counters n "
            "JOIN agents a ON a.id = n.agent_id WHERE a.alias = 'Referee'",
        )
        charged, answered, orphans, games = map(int, spent)
        assert charged > 0
        assert (answered, games) == (4, 0)
        assert orphans in (1, 2), "what was cut, of two games at once"
        named = (
            "SELECT COUNT(*) FROM {} r JOIN agents a ON a.id = r.agent_id WHERE a.alias = 'Referee'"
        )
        for table in ("game_players", "agent_trueskill", "rating_changes"):
            assert rows(database_url, named.format(table)) == [(0,)]
        ended = commands.run("show", "1", "--db", database_url)
        assert "Player 2 Referee · referee" in ended.stdout

        # Drawn: scenes, narrator, verdict and scores, also as one of the players sees them.
        with browsing(database_url) as get:
            page = get("/game/1").text
            for said in ("Words", "Referee", "better", "Points:", "One has spoken."):
                assert said in page
            assert "say little" not in get("/game/1?as=1").text
            assert get("/game/1?as=2").status_code == 200

        # Changed: another scenario is another tournament, and another pool.
        (tmp_path / "duel.yaml").write_text(DUEL.replace("better word?", "longer word?"))
        ended = commands.run("run", file, "--db", database_url, "--budget", "1")
        assert ended.code == 2
        assert "environment.options.scenario is" in ended.stderr
        file.write_text(file.read_text().replace("name: duel\n", "name: again\n"))
        ended = commands.run("run", file, "--db", database_url, "--budget", "1")
        assert ended.code == 0, ended.stderr
        pools = "SELECT COUNT(DISTINCT environment_id) FROM tournaments"
        assert rows(database_url, pools) == [(2,)]
        # Judged by another, too.
        file.write_text(file.read_text().replace("text: Judge.", "text: Judge well."))
        ended = commands.run("run", file, "--db", database_url, "--budget", "1")
        assert ended.code == 2
        assert "was begun with another referee" in ended.stderr
