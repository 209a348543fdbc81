"""Calls into plug-ins, whoever wrote them: what they raise becomes one sentence that names them."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.core.errors import ArenaError, PluginError, UsageError


@contextmanager
def guarded(plugin: str, doing: str = "", advice: str = "") -> Iterator[None]:
    """Inside, whatever the plug-in raises becomes a PluginError, except an error that is for
    people already. `plugin` names it, `doing` says when it was ("choosing the next games"),
    `advice` what to do."""
    try:
        yield
    except (Exception, SystemExit) as error:
        found = failed(error, plugin, doing, advice)
        if found is error:
            raise
        raise found from error


def failed(error: BaseException, plugin: str, doing: str = "", advice: str = "") -> ArenaError:
    """What a guard raises for an error that went through it."""
    if isinstance(error, ArenaError):
        return error
    when = f" when {doing}" if doing else ""
    then = f"; {advice}" if advice else ""
    # The first two frames are the guard's and its block's.
    return PluginError(f"{plugin} raised {raised(error, 2)}{when}{then}")


def raised(error: BaseException, ours: int = 1) -> str:
    """`KeyError: 'heap' (rules.py, line 31)`: what was raised, and where, for its author; the
    first `ours` frames are not the plug-in's."""
    said = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    # Those of the import system say nothing.
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)[ours:]
        if "importlib" not in frame.filename
    ]
    return (
        f"{said} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else said
    )


def check_arguments(what: str, factory: Any, arguments: Mapping[str, Any]) -> None:
    """Raises UsageError for arguments that the signature of a plug-in does not have."""
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        # Not every callable says what it takes; then its own TypeError has to do.
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        given = ", ".join(f"`{name}`" for name in arguments) or "nothing"
        raise UsageError(f"{what} cannot be made with {given}: {error}") from error
