"""Watches with what arguments LiteLLM calls those of its functions that rewrite messages for a
provider and that sign a request, while somebody of the same context wants to know.

No setting tells them. Where a version has them elsewhere, nothing is seen, and its provider is
asked through LiteLLM.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from arena.llm.providers.lean.rewriting import LibraryCall, copied

_REWRITE = (
    ("litellm.llms.anthropic.chat.transformation", "AnthropicConfig.async_transform_request"),
    (
        "litellm.llms.bedrock.chat.converse_transformation",
        "AmazonConverseConfig._async_transform_request",
    ),
    (
        "litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini",
        "async_transform_request_body",
    ),
)
_SIGN = (("litellm.llms.bedrock.base_aws_llm", "BaseAWSLLM.get_request_headers"),)


@dataclass(slots=True)
class Calls:
    """What was called: to rewrite messages, and to sign."""

    rewriting: list[LibraryCall] = field(default_factory=list)
    signing: list[LibraryCall] = field(default_factory=list)


_calls: ContextVar[Calls | None] = ContextVar("calls", default=None)


@contextmanager
def watched() -> Iterator[Calls]:
    """Inside, calls of this context are seen; others pass as they did."""
    for places, kind in ((_REWRITE, "rewriting"), (_SIGN, "signing")):
        for module, path in places:
            _install(sys.modules.get(module), path, kind)
    calls = Calls()
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


def _install(module: Any, path: str, kind: str) -> None:
    *holders, name = path.split(".")
    holder = functools.reduce(lambda found, one: getattr(found, one, None), holders, module)
    function = getattr(holder, name, None)
    if callable(function) and not hasattr(function, "watched"):
        setattr(holder, name, _watching(function, kind))


def _watching(function: Callable[..., Any], kind: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def watching(*args: Any, **named: Any) -> Any:
        calls = _calls.get()
        if calls is not None:
            getattr(calls, kind).append(LibraryCall(function, args, copied(named)))
        return function(*args, **named)

    watching.watched = True  # type: ignore[attr-defined]
    return watching
