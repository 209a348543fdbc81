"""The worker processes of a run, found from outside."""

from __future__ import annotations

from pathlib import Path

_THEIRS = b"arena.executors.processes.worker"


def workers_of(pid: int) -> list[int]:
    """The workers that a process has started and that live, the oldest first."""
    return sorted(worker for worker, parent in _workers() if parent == pid)


def living(pids: list[int]) -> list[int]:
    """Those of these workers that live, whoever is their parent now."""
    return sorted({worker for worker, _ in _workers()} & {*pids})


def _workers() -> list[tuple[int, int]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            theirs = _THEIRS in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if theirs and state != "Z":
            found.append((int(folder.name), int(parent)))
    return found
