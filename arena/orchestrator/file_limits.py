"""Sees to it that the process may open as many connections as a run needs."""

from __future__ import annotations

from arena.core import UsageError

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

# The database, the terminal, the event loop, and what LiteLLM keeps open.
_BESIDES = 64


def allow_files(calls: int) -> None:
    """Raise this process's limit of open files so that this many calls can be in flight at once,
    as far as the system lets it: for commands, whose process it is."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = calls + _BESIDES
    if _is_below(soft, needed):
        allowed = hard if _is_below(hard, needed) else needed
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def check_files(calls: int) -> None:
    """Raises UsageError where this process may not open the files that this many calls need."""
    if resource is None:
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = calls + _BESIDES
    if _is_below(soft, needed):
        raise UsageError(
            f"{calls} games at once need {needed} open files, and this process may open {soft}: "
            f"type `ulimit -n {needed}` before the command, or `--concurrency "
            f"{max(1, soft - _BESIDES)}` with it; in Python, raise resource.RLIMIT_NOFILE or lower "
            "the concurrency"
        )


def _is_below(limit: int, needed: int) -> bool:
    return limit != resource.RLIM_INFINITY and limit < needed
