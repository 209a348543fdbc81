"""Reads the tournament file that a command was given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.config import TournamentConfig


def read(path: Path) -> TournamentConfig:
    """The tournament in a file, or of a shipped one by its bare name. Raises ConfigError for what
    is wrong with it and for names that no package registers: before what a run needs is
    imported."""
    from arena import registry
    from arena.config import load
    from arena.config.shipped import find

    config = load(find(path))
    registry.check_names(config)
    return config
