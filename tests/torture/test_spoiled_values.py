"""Values are really spoiled, and no way of looking at them ends in a traceback or never."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, run_arena
from torture.spoiling import spoil

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    (folder / "small.yaml").write_text(TOURNAMENT)
    result = run_arena("run", folder / "small.yaml", "--db", folder / "good.db")
    assert result.exit_code == 0, result.stderr
    return folder / "good.db"


@pytest.mark.sweep
@pytest.mark.slow
def test_a_value_is_spoiled_and_nothing_else(good: Path, tmp_path: Path) -> None:
    kinds: Counter[str] = Counter()
    for number in range(40):
        file = Path(shutil.copy(good, tmp_path / "spoiled.db"))
        done = spoil(file, random.Random(number))
        if done is not None:
            kinds[done.kind] += 1
            assert file.read_bytes() != good.read_bytes(), done
    assert len(kinds) > 5


@pytest.mark.sweep
@pytest.mark.slow
def test_no_look_at_a_spoiled_file_fails(good: Path) -> None:
    words = ["-m", "torture.spoiled_values", str(good), "--seconds", "20", "--looks", "6"]
    done = subprocess.run(
        [sys.executable, *words], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert " 0 faults;" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
