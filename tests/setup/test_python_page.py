"""The page on Python: its examples run in order, as somebody types them into one interpreter."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from arena import analysis
from tests.setup.shell import ROOT, blocks, clean_environment

PAGE = ROOT / "docs" / "python.md"
EXAMPLES = [block.text for block in blocks(PAGE) if block.language == "python"]
SAID = "an example ended"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each example printed, in a folder that was empty before the first."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "page.py").write_text(f"print({SAID!r})\n".join([*EXAMPLES, ""]))
    environment = clean_environment()
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=folder,
        env={**environment, "MPLBACKEND": "agg", "MPLCONFIGDIR": str(folder / "matplotlib")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(f"{SAID}\n")[:-1]


@pytest.mark.slow
def test_every_example_runs(printed: list[str]) -> None:
    assert len(printed) == len(EXAMPLES)
    [played, *_] = printed
    assert re.match(r"4 (0|1)\.\d+\n", played)
    assert "6 0\n" in printed

    frames = next(text for text in printed if "mu" in text)
    assert {"Cat", "Dan", "mu", "sigma"} <= set(frames.split())
    assert any("page.db" in text and "other.db" in text for text in printed)
    assert any("games 10\n" in text for text in printed)
    assert "random scripted/random\n" in printed[-1]


def test_every_frame_and_plot_is_on_the_page() -> None:
    page = PAGE.read_text()
    missing = [name for name in analysis.__all__ if not re.search(rf"\b{name}\b", page)]
    assert missing == []


def test_the_first_line_of_python_in_the_readme_prints_ratings() -> None:
    [first] = [block for block in blocks(ROOT / "README.md") if block.language == "python"]
    assert "\nprint(ratings_df(url))\n" in first.text
    assert "(docs/python.md)" in (ROOT / "README.md").read_text()
