"""Runs that start together on a database that holds nothing: each finds or makes what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

import db
from db import get_session
from tests.small import SMALL

pytestmark = pytest.mark.slow

ROOT = str(Path(db.__file__).parent.parent)

# What takes seconds to load is loaded before the start.
RUN = """
import asyncio, sys
import litellm
from arena.config import load
from arena.orchestrator import run
file, url = sys.argv[1:]
config = load(file)
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(run(config, url=url, games=0))
"""


def together(url: str, *files: Path) -> list[str]:
    """Starts the tournaments at one moment, each in a process: what they say at the end."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RUN, str(file), url],
            cwd=ROOT,
            env=os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for file in files
    ]
    try:
        for process in runs:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in runs:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [process.communicate()[1].strip().rpartition("\n")[2] for process in runs]
    finally:
        for process in runs:
            process.kill()
            process.wait()


@pytest.mark.sweep
def test_runs_that_start_together_share_the_catalogue(
    empty_database_url: str, tmp_path: Path
) -> None:
    """Their tables are made once, and so is every model, prompt and agent that both of them name;
    named in another order, they do not wait for each other."""
    models = [line for line in SMALL.splitlines() if "litellm_model" in line]
    turned = SMALL.replace("\n".join(models), "\n".join(reversed(models)))
    assert turned != SMALL
    files = [tmp_path / f"{name}.yaml" for name in ("small", "other")]
    for file, config in zip(files, (SMALL, turned), strict=True):
        file.write_text(config.replace("name: small", f"name: {file.stem}"))

    assert together(empty_database_url, *files) == ["", ""]

    with get_session(empty_database_url, create=False) as session:
        counts = {
            table: session.connection().execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
            for table in ("models", "prompts", "kinds", "agents", "environments", "tournaments")
        }
    assert counts == {
        "models": 2,
        "prompts": 2,
        "kinds": 2,
        "agents": 6,
        "environments": 1,
        "tournaments": 2,
    }
