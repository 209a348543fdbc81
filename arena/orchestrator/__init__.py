"""Runs tournaments: from a configuration to games on record and ratings."""

from arena.orchestrator.progress import ModelState, Progress, Summary
from arena.orchestrator.run import restore, run
from arena.orchestrator.standings import LiveStanding
from arena.orchestrator.stopping import Stop

__all__ = [
    "LiveStanding",
    "ModelState",
    "Progress",
    "Stop",
    "Summary",
    "restore",
    "run",
]
