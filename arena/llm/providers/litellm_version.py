"""Says which versions of LiteLLM work where the installed one does not: it cannot be imported, or a
name that the arena relies on has moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from arena.core import ArenaError, PluginError
from arena.core.plugins import raised

_OURS = "llm-arena"
# What is used of its public names, beside what each call asks for.
_NAMES = (
    "acompletion",
    "get_llm_provider",
    "get_supported_openai_params",
    "model_cost",
    "module_level_aclient",
    "request_timeout",
)


@contextmanager
def supported() -> Iterator[None]:
    """Inside, whatever LiteLLM raises becomes a PluginError that names the versions that work."""
    try:
        yield
    except ArenaError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(_advice(error)) from error


def check_names(litellm: Any) -> None:
    """Raises AttributeError for a version without a name that calls need."""
    for name in _NAMES:
        getattr(litellm, name)


def _advice(error: BaseException) -> str:
    wanted = _wanted()
    install = f"python -m pip install '{wanted}'"
    try:
        installed = version("litellm")
    except PackageNotFoundError:
        return f"LiteLLM is not installed, which asks the models: {install}"
    return (
        f"LiteLLM {installed} does not work with this arena: it raised {raised(error)}. "
        f"The arena works with {wanted}: {install}"
    )


def _wanted() -> str:
    """LiteLLM as the arena's own package asks for it."""
    try:
        asked = requires(_OURS) or []
    except PackageNotFoundError:
        asked = []
    return next((one for one in asked if re.match(r"litellm\b", one)), "litellm")
