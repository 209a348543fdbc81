"""Logs for Inspect AI, opened by Inspect itself in a Python that sees nothing of ours."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import filled
import pytest

from arena.analysis import players_df
from arena.analysis.export import export_inspect
from arena.analysis.export.texts import original

# `make` puts it there, apart from our own packages, whose versions differ from its own.
INSPECT = Path(sys.prefix) / "inspect"

OPEN = """
import json, sys
from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_sample_summaries
found = []
for info in list_eval_logs(sys.argv[1]):
    log = read_eval_log(info)
    assert len(read_eval_log_sample_summaries(info)) == len(log.samples)
    found.append({
        "status": log.status, "task": log.eval.task, "model": log.eval.model,
        "agent": log.eval.metadata["agent"], "mean": log.results.scores[0].metrics["mean"].value,
        "tokens": {name: used.total_tokens for name, used in log.stats.model_usage.items()},
        "samples": [
            {"id": s.id, "score": s.scores["score"].value, "role": s.metadata["role"],
             "messages": [[m.role, m.text] for m in s.messages]}
            for s in log.samples
        ],
    })
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not (INSPECT / ".installed").exists(), reason=f"make {INSPECT}/.installed brings Inspect AI"
)
def test_inspect_opens_every_log(sqlite, tmp_path):
    folder = tmp_path / "out"
    export_inspect(folder, sqlite)
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": str(INSPECT)}
    done = subprocess.run(
        # -S: without our site-packages.
        [sys.executable, "-S", "-c", OPEN, folder],
        env={"PATH": os.environ["PATH"], **home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    logs = {(log["task"], log["agent"]): log for log in json.loads(done.stdout)}
    seats = players_df(sqlite, status="completed")
    assert {*logs} == {*zip(seats["environment"], seats["agent"], strict=True)}
    ann = logs["Village-v0", "ann"]
    assert (ann["status"], ann["model"]) == ("success", "openai/small")
    assert ann["tokens"] == {"openai/small": 330}
    assert ann["mean"] == 0.75  # a win and a draw
    first = ann["samples"][0]
    assert (first["id"], first["score"], first["role"]) == ("1-0", 1.0, "Doctor")
    # What was new to it at each of its turns, and what it did.
    assert first["messages"] == [
        ["user", filled.seen(1, 0)],
        ["assistant", "answer 0"],
        ["user", filled.seen(1, 4).removeprefix(filled.seen(1, 0))],
        ["assistant", "answer 4"],
    ]


def test_a_log_is_a_zip_that_holds_hostile_texts_as_json(sqlite, tmp_path):
    (file,) = export_inspect(tmp_path / "out", sqlite, game=6, agent="bob")
    with zipfile.ZipFile(tmp_path / "out" / file.file) as log:
        assert log.testzip() is None
        sample = json.loads(log.read("samples/6-0_epoch_1.json"))
    assert original(sample["messages"][0]["content"]) == filled.HOSTILE
    assert original(sample["messages"][1]["content"]) == filled.HOSTILE
    assert sample["scores"]["score"]["value"] == 0.0


def test_the_same_record_gives_the_same_files(sqlite, tmp_path):
    for name in ("one", "two"):
        export_inspect(tmp_path / name, sqlite)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
