"""Every part of the benchmark runs and prints its rows; how fast anything is, no test says."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arena.llm.providers.lean.chat import CHAT
from bench import lean, whole
from bench.__main__ import PARTS
from bench.earlier import BEFORE_LEAN, NoHistory, earlier
from bench.history import as_table, quoted, remember, remembered
from bench.measure import Row
from bench.policies import FIXED_TALK, answer_to, response
from bench.report import as_markdown, as_text
from bench.server import events
from bench.workers import Workers

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


def whose_arena() -> Path:
    """Where the provider that its entry point names comes from."""
    (found,) = importlib.metadata.entry_points(group="arena.providers", name="litellm")
    return Path(str(sys.modules[found.load().__module__].__file__))


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
        ("recorder", 5.0),
        ("steady", 1.1),
        ("in_flight", 0.5),
        ("in_flight", 1536.0),
        ("recorder", 20.0),
        ("lean", 20.0),
        ("lean", 1.5),
        ("lean", 3.0),
        ("whole", 8.0),
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


def test_a_history_has_the_newest_figure_of_each_row_and_those_before(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"

    def row(figure: float) -> Row:
        return Row("lean", "CPU a call", [figure], target=1.5, at_most=True, numbers={"µs": 120.0})

    page = tmp_path / "bench.md"
    page.write_text("Above.\n<!-- history -->\n| old |\n<!-- /history -->\nBelow.\n")
    remember([row(1.61), Row("lean", "calls", [21.0], target=20.0)], file, page)
    remember([row(1.32)], file, page)

    last, other = remembered(file)
    assert (last.row.figure, last.row.met, last.before) == (1.32, True, (1.61,))
    assert (other.row.figure, other.before) == (21.0, ())
    assert "| lean | CPU a call | 1.32x | at most 1.50x | yes | 1.61 | 20" in as_table([last])
    assert "120" not in file.read_text()
    assert page.read_text() == f"Above.\n{quoted(file)}\nBelow.\n"
    assert quoted(file).count("\n") == 5


def test_the_page_quotes_the_history_that_is_kept() -> None:
    assert quoted() in (CHECKOUT / "docs" / "bench.md").read_text()
    assert bench("--history").stdout == as_table(remembered()) + "\n"


def test_a_stream_of_the_loopback_server_is_read_as_its_unstreamed_answer() -> None:
    answer = response("loopback", FIXED_TALK, 120, 75)
    stream = CHAT.stream(lambda: 3.0)
    stream.hear(events(answer).encode())
    read, whole = stream.answer({}, ""), CHAT.read(json.dumps(answer).encode(), {}, "")
    assert read is not None
    assert whole is not None
    assert read.completion == whole.completion


@pytest.mark.slow
def test_an_earlier_arena_is_imported_in_the_place_of_this_one(tmp_path: Path) -> None:
    with Workers(shared=True) as workers:
        then = workers.of("before", earlier("HEAD", tmp_path)).run(whose_arena)
        now = workers.of("now").run(whose_arena)
    assert then.is_relative_to(tmp_path)
    assert now == CHECKOUT / "arena" / "llm" / "providers" / "litellm.py"


@pytest.mark.sweep
def test_the_earlier_arena_that_is_measured_has_what_its_lanes_import(tmp_path: Path) -> None:
    with Workers() as workers:
        before = workers.of("before", earlier(BEFORE_LEAN, tmp_path))
        for lane in (lean.asking, lean.endpoint, whole.tournament):
            assert lane.__name__ in before.run(str, object=lane)


def test_a_commit_that_is_not_there_is_named_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NoHistory, match="the commit 0000000, which"):
        earlier("0000000", tmp_path)


def test_the_fixed_answer_is_talk_or_one_of_the_players_that_may_be_chosen() -> None:
    assert answer_to("[GAME] Day breaks. Discuss for 1 rounds, then vote.") == FIXED_TALK
    voting = "[Player 1] I say [9].\n[GAME] Voting phase - one vote. Valid: [0], [4]"
    assert answer_to(voting) in ("[0]", "[4]")
    night = "[GAME] Night has fallen.\\nValid targets: [2]\\n[Player 1] [5]"
    assert answer_to(night) == "[2]"
