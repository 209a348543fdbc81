"""`--log-json`: what is logged as an object a line, whatever stands in it."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from arena.cli.json_log import JsonLogHandler
from arena.core.log_scope import about
from tests.cli.commands import Arena

KEY = "hunter2-hunter2-hunter2"
FIELDS = ["at", "level", "logger", "tournament_id", "game_id", "agent_id", "message"]


def test_every_line_of_a_run_is_an_object_also_an_error(
    arena: Arena, config: Path, tmp_path: Path
) -> None:
    db, log = tmp_path / "a.db", tmp_path / "run.log"
    before = logging.getLogger("arena").handlers[:]

    played = arena("run", config, "--db", db, "--games", "1", "--log-json", "-")
    lines = [json.loads(line) for line in played.stderr.splitlines()]
    assert all([*line] == FIELDS for line in lines)
    assert lines[0]["message"].startswith("run 1 begins")
    assert lines[0]["tournament_id"] == 1
    assert any(line["logger"] == "arena.cli" and "1 game," in line["message"] for line in lines)

    refused = arena("run", tmp_path / "nothing.yaml", "--log-json", "-")
    assert refused.exit_code == 2
    assert json.loads(refused.stderr)["level"] == "error"

    # A file is added to, nobody else's to read, and what is said to people is said as ever.
    for _ in range(2):
        resumed = arena("resume", "--db", db, "--games", "1", "--log-json", log)
        assert "1 game," in resumed.stderr
    said = [json.loads(line)["message"] for line in log.read_text("ascii").splitlines()]
    assert [line.partition(" begins")[0] for line in said if "begins" in line] == ["run 2", "run 3"]
    assert log.stat().st_mode & 0o077 == 0
    assert logging.getLogger("arena").handlers == before

    refused = arena("resume", "--db", db, "--log-json", tmp_path)
    assert refused.exit_code == 2
    assert "cannot be written (Is a directory): give another file" in refused.stderr


def test_hostile_text_and_keys_stay_within_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", KEY)
    written = io.StringIO()
    handler, logger = JsonLogHandler(written), logging.getLogger("arena.tested")
    logger.addHandler(handler)
    monkeypatch.setattr(logger, "propagate", False)
    try:
        with about(tournament_id=3, game_id=5):
            logger.warning("a\n{'b': \x1b[2J \u2028 \ud800 %s", KEY)
            logger.warning("%d", "no number")
        try:
            raise ValueError(KEY)
        except ValueError:
            logger.exception("it failed")
        handler.write(message="x" * 10**6)
    finally:
        logger.removeHandler(handler)

    assert written.getvalue().isascii()
    first, second, third, long = map(json.loads, written.getvalue().splitlines())
    assert first["message"] == "a\n{'b': \x1b[2J \u2028 \ud800 [secret]"
    assert (first["level"], first["tournament_id"], first["game_id"]) == ("warning", 3, 5)
    assert second["message"].startswith("a line that cannot be written (TypeError)")
    assert "ValueError: [secret]" in third["message"]
    assert len(long["message"]) < 5_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_log_that_cannot_be_written_ends_and_says_so_once(
    arena: Arena, config: Path, tmp_path: Path
) -> None:
    played = arena(
        "run", config, "--db", tmp_path / "a.db", "--games", "1", "--log-json", "/dev/full"
    )

    assert played.exit_code == 0
    assert played.stderr.count("it ends here, and the run goes on") == 1
    assert "1 game," in played.stderr
