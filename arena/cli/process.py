"""What a command that plays does to its own process, and the library never: the process is its."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

from arena.core.collector import set_aside

T = TypeVar("T")


def playing(show: Callable[[T], None]) -> Callable[[T], None]:
    """Readies the process for a run whose reports go to `show`; give the run what comes back."""
    # Ctrl-C can come between the moment LiteLLM makes a coroutine and the one it awaits it.
    warnings.filterwarnings("ignore", r"coroutine '.*' was never awaited", RuntimeWarning)
    # What a library thinks of a provider's answer is for its authors.
    warnings.filterwarnings("ignore", module=r"(pydantic|litellm|openai|httpx|aiohttp)\b")
    frozen = False

    def shown(report: T) -> None:
        nonlocal frozen
        if not frozen:
            # With the first report everything that the run needs is there.
            frozen = True
            set_aside()
        show(report)

    return shown
