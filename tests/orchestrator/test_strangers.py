"""What other packages register, and nobody names, stops no tournament."""

from __future__ import annotations

import asyncio
from pathlib import Path

from arena.config import parse
from arena.orchestrator import run
from tests.strangers import Install, install

__all__ = ["install"]

GROUPS = (
    "agents",
    "commands",
    "environments",
    "executors",
    "matchmakers",
    "pages",
    "providers",
    "ratings",
    "scripted",
)


def test_a_broken_plugin_that_nobody_names_is_never_imported(
    install: Install, tmp_path: Path
) -> None:
    install("raise RuntimeError('imported')\n", {group: {"broken": "x"} for group in GROUPS})
    config = parse(
        {
            "name": "sound",
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": 2,
            "models": [{"name": "random", "litellm_model": "scripted/random"}],
            "prompts": [{"name": "a", "text": "Win."}, {"name": "b", "text": "Win!"}],
            "agents": [
                {"name": "A", "model": "random", "prompt": "a"},
                {"name": "B", "model": "random", "prompt": "b"},
            ],
        }
    )

    summary = asyncio.run(run(config, url=tmp_path / "arena.db"))

    assert (summary.games_completed, summary.games_void) == (2, 0)
