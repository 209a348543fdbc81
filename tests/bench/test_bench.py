"""Every part of the benchmark runs and prints its rows; how fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import PARTS
from bench.measure import Row
from bench.policies import FIXED_TALK, answer_to
from bench.report import as_markdown, as_text

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    done = bench("--toy", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


@pytest.mark.slow
@pytest.mark.sweep
def test_every_part_prints_rows(rows: list[dict[str, Any]]) -> None:
    assert {row["part"] for row in rows} == set(PARTS)
    assert all(value > 0 for row in rows for value in row["values"])


@pytest.mark.slow
@pytest.mark.sweep
def test_every_promise_of_the_arena_is_measured(rows: list[dict[str, Any]]) -> None:
    promised = {(row["part"], row["target"]) for row in rows if row["target"] is not None}
    assert promised >= {
        ("arena", 0.85),
        ("arena", 1.7),
        ("recorder", 8.0),
        ("recorder", 20.0),
        ("http", 0.9),
        ("http", 1024.0),
        ("storage", 1 / 5),
        ("storage", 1 / 10),
        ("ratings", 150.0),
        ("start", 0.3),
        ("scale", 1.5),
        ("projections", 1.05),
        ("frames", 0.9),
    }


def test_an_unknown_part_is_refused_with_the_names_of_the_known() -> None:
    done = bench("recrder")
    assert done.returncode == 2
    assert "unknown part 'recrder'; known: arena, projections, recorder" in done.stderr


def test_a_row_is_its_median_and_knows_whether_its_target_is_met() -> None:
    row = Row("http", "calls", [0.95, 0.7, 0.91], target=0.9, numbers={"calls/s": 231.4})
    assert (row.figure, row.met) == (0.91, True)
    assert "0.91x (0.7 to 0.95)  calls  [at least 0.9x: yes]" in as_text(row)
    assert "| http | calls | 0.91x | 0.7 to 0.95 | at least 0.9x | yes | calls/s 231 |" in (
        as_markdown([row])
    )
    late = Row("recorder", "held", [21.0], unit="ms", target=20.0, at_most=True)
    assert (late.met, "at most 20.00 ms: NO" in as_text(late)) == (False, True)
    assert Row("arena", "beside", [0.7]).met is None


def test_the_fixed_answer_is_talk_or_one_of_the_players_that_may_be_chosen() -> None:
    assert answer_to("[GAME] Day breaks. Discuss for 1 rounds, then vote.") == FIXED_TALK
    voting = "[Player 1] I say [9].\n[GAME] Voting phase - one vote. Valid: [0], [4]"
    assert answer_to(voting) in ("[0]", "[4]")
    night = "[GAME] Night has fallen.\\nValid targets: [2]\\n[Player 1] [5]"
    assert answer_to(night) == "[2]"
