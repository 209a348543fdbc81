"""Runs tournaments: from a configuration to games on record and ratings."""

from arena.orchestrator.progress import ModelState, Plan, Progress, Summary
from arena.orchestrator.run import plan, restore, run
from arena.orchestrator.standings import Standing
from arena.orchestrator.stopping import Stop

__all__ = [
    "ModelState",
    "Plan",
    "Progress",
    "Standing",
    "Stop",
    "Summary",
    "plan",
    "restore",
    "run",
]
