"""What providers say that answer nobody: refusals that meet every call, endless waits, loading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Unready:
    """An answer to every call until a person, or time, has mended what is wrong. `passes` says
    that the run is to wait for that; else it is to stop."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "invalid_request_error"
    passes: bool = False


UNREADY: Mapping[str, Unready] = {
    "system": Unready(400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
    "parameter": Unready(
        400, "Unsupported parameter: 'max_tokens' is not supported with this model."
    ),
    "account": Unready(
        400,
        "You have reached your specified API usage limits. You will regain access on 2099-01-01 "
        "at 00:00 UTC.",
    ),
    "unprocessable": Unready(422, "Input should be a valid list: messages.0.content"),
    "wait": Unready(429, "Too many requests", {"Retry-After": "1e9"}, "rate_limit_error"),
    "loading": Unready(503, "Loading model", {}, "unavailable_error", passes=True),
}
