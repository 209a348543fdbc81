"""Runs tournaments: from a configuration to games on record and ratings."""

from arena.orchestrator.progress import Plan, Progress, Summary
from arena.orchestrator.run import plan, run
from arena.orchestrator.standings import Standing

__all__ = ["Plan", "Progress", "Standing", "Summary", "plan", "run"]
