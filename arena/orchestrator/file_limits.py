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
    """Raise the limit of open files, as far as the system lets this process, so that so many
    calls can be in flight at once. Raises UsageError when that is not far enough."""
    if resource is None:
        return
    needed = calls + _BESIDES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"{calls} games at once need {needed} open files, and this process may open {hard}: "
            f"type `ulimit -n {needed}` before the command, or `--concurrency "
            f"{max(1, hard - _BESIDES)}` with it"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
