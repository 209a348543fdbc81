"""Reads keys from the environment, and takes them out of text that is stored or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from arena.core import ModelSpec, UsageError

HIDDEN = "[secret]"

# Shorter values are too common in ordinary text to be taken for keys.
_SHORTEST = 6

_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH", re.IGNORECASE)

_SHAPES = (
    re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(
        r"(?i)((?:api[-_ ]?key|x-api-key|access[-_ ]?token)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&}]{6,}"
    ),
    re.compile(r"(?i)((?:provided|key|token):\s*)[A-Za-z0-9_-]{2,}\*{3,}[A-Za-z0-9_-]*"),
    re.compile(r"(://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"()\b(?:sk|pk|rk|gsk|xai|hf|r8|AIza|key)[-_][A-Za-z0-9_-]{8,}"),
    re.compile(r"()\bAIza[A-Za-z0-9_-]{20,}"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"),
)


def scrub(text: str, values: Iterable[str | None] = ()) -> str:
    """`text` without the given values, the values of key-like environment variables, or anything
    of the shape of a key (bearer tokens, `sk-...`, credentials in an address)."""
    known = {value for value in values if value}
    known.update(value for name, value in os.environ.items() if _NAMES.search(name))
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, HIDDEN)
    for shape in _SHAPES:
        text = shape.sub(rf"\g<1>{HIDDEN}", text)
    return text


def key_of(model: ModelSpec) -> str | None:
    """The key of a model, read now, or None where it names no variable. Raises UsageError when
    the variable is not set."""
    if model.api_key_env is None:
        return None
    value = os.environ.get(model.api_key_env)
    if not value:
        raise UsageError(
            f"model {model.name!r} needs a key in the environment variable {model.api_key_env}, "
            f"which is not set; type: export {model.api_key_env}=..."
        )
    return value
