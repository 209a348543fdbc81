"""Each part at its smallest: that it finds nothing, and that it would find something."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from torture.__main__ import PARTS
from torture.flipped_bits import flipped
from torture.harness import Harness
from torture.parts import bursts, faults, hostile, secrets, workers
from torture.parts.kill import _gaps, _Killing
from torture.report import as_markdown, as_text
from torture.rows import Row, kept
from torture.scene import Scene

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def broken(rows: Sequence[Row]) -> list[str]:
    return [f"{row.name}: {row.value} {row.note}" for row in rows if row.met is False]


def value(rows: Sequence[Row], name: str) -> float:
    return next(row.value for row in rows if row.name.endswith(name))


@pytest.mark.slow
def test_killed_runs_come_to_what_an_undisturbed_run_does(harness: Harness) -> None:
    with harness.service("kill", 0.005, 0.02) as service:
        rows = _Killing(harness, service, "sqlite").rows(3)

    # How many answers were on their way at the kill depends on how fast the machine is.
    assert [wrong for wrong in broken(rows) if "lost in flight" not in wrong] == []
    assert value(rows, "runs killed and resumed") == 3
    assert value(rows, "answers lost in flight, the most in one kill") <= 4


@pytest.mark.sweep
@pytest.mark.slow
def test_killed_workers_lose_nothing(harness: Harness) -> None:
    with harness.service("workers", 0.005, 0.02) as service:
        rows = [*workers.killed(harness, service, "sqlite", 1)]

    assert broken(rows) == []
    assert value(rows, "workers killed") == 1


@pytest.mark.sweep
@pytest.mark.slow
def test_a_provider_that_answers_nobody_at_first_costs_no_game(harness: Harness) -> None:
    rows = faults.unready(harness, ["sqlite"], ["system", "wait", "loading"])

    assert len(rows) == 4
    assert broken(rows) == []


def test_instants_are_uniform_and_in_order() -> None:
    gaps = list(_gaps(random.Random(1), 10))
    assert len(gaps) == 10
    assert min(gaps) >= 0
    assert sum(gaps) < 1


@pytest.mark.sweep
@pytest.mark.slow
def test_hostile_outputs_are_recorded_and_shown(harness: Harness) -> None:
    with harness.service("hostile") as service:
        scene = Scene(harness, service, "hostile", "few", mode="hostile", games=2, concurrency=2)
        ended = scene.go_on().ended
        rows = [*hostile._recorded(scene, ended, 10), *hostile._framed(scene)]
        rows += hostile._looked_at(
            scene, [("show", "1"), ("games", "--json"), ("replay", "1", "--check")]
        )
        rows += flipped(scene, "hostile", 10)

    assert broken(rows) == []


@pytest.mark.slow
def test_a_provider_whose_answers_come_at_once_makes_no_other_agent_lapse(
    harness: Harness,
) -> None:
    rows = bursts.run(harness, toy=True)

    assert broken(rows) == []
    assert value(rows, "time limits that other agents lapsed") == 0


@pytest.mark.slow
def test_a_key_is_found_wherever_it_was_left(harness: Harness, tmp_path: Path) -> None:
    key = harness.key
    wanted = secrets.needles(key)
    clean = b"sk-torture- and nothing else; " + key[:18].encode()
    assert not any(needle in clean for needle in wanted)
    for leak in (key, key[8:], key[:-4], key[::-1], key[20:36], f'{{"key": "{key}"}}'):
        assert any(needle in leak.encode() for needle in wanted)

    from base64 import b64encode

    for before in ("", "x", "xy", "Bearer "):
        data = b64encode(f"{before}{key}".encode())
        assert any(needle in data for needle in wanted)


@pytest.mark.slow
def test_a_key_is_found_in_packed_texts_of_a_database(harness: Harness) -> None:
    from db.codec import Codec
    from torture.databases import connected

    url = harness.databases.fresh("sqlite", "leaky")
    packed = Codec().pack(f"a text with {harness.key} in it, again and again and again and again")
    assert harness.key.encode() not in packed
    with connected(url) as connection:
        connection.exec_driver_sql("CREATE TABLE leak (body BLOB)")
        connection.exec_driver_sql("INSERT INTO leak VALUES (?)", (packed,))

    wanted = secrets.needles(harness.key)
    found = [where for where, data in secrets.values(url) if any(n in data for n in wanted)]
    assert found == ["leak.body"]


@pytest.mark.slow
def test_a_run_that_crashes_leaves_no_core_file(harness: Harness) -> None:
    (row,) = secrets.crashed(harness)

    assert row.met, row.note
    assert row.note.startswith("ended with -6")


def test_an_unknown_part_is_refused_with_the_names_of_the_known() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "torture", "kil"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"unknown part 'kil'; known: {', '.join(PARTS)}" in done.stderr


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_there(part: str) -> None:
    from importlib import import_module

    assert callable(import_module(f"torture.parts.{part}").run)


def test_a_row_knows_whether_its_promise_is_kept() -> None:
    lost = Row("kill", "games lost", 1, promised=0, note="two | three")
    slow = Row("stop", "time to go on", 1.234, unit="s")
    small = Row("faults", "memory", 12.5, promised=100, bound="below", unit="MiB")

    assert (lost.met, slow.met, small.met) == (False, None, True)
    assert not kept([lost, slow])
    assert kept([slow, small])
    assert as_text(lost).split("\n")[0].strip() == "1  games lost  [0: NO]"


def test_a_report_counts_the_promises_kept_and_puts_the_databases_side_by_side() -> None:
    lost = Row("kill", "SQLite: games lost", 1, 0, note="two | three")
    found = Row("kill", "PostgreSQL: games lost", 0, 0)
    slow = Row("stop", "PostgreSQL, Ctrl-C once: time to go on", 1.234, unit="s")
    told = as_markdown([lost, found, slow])

    assert "| kill |  | 0 of 1 | 1 of 1 | SQLite: games lost: 1, promised 0 |" in told
    assert "| kill | games lost | 0 | 1 | 0 |" in told
    assert "| stop | Ctrl-C once: time to go on |  |  | 1.23 s |" in told
