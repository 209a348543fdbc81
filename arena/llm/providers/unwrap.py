"""Finds the answer in a body that says more than that, and the error that stands in its place."""

from __future__ import annotations

import json
import re
from typing import Any

BOM = b"\xef\xbb\xbf"
# What keeps a connection open, in front of an answer.
_COMMENTS = re.compile(r"\A(?:\s*:[^\n]*\n)+\s*")


def unwrapped(body: bytes) -> tuple[Any, bool]:
    """What a body says, and whether it says nothing else: an answer may stand in a list, below
    another field, behind comments that keep the connection open, or before something else."""
    whole = not body.startswith((BOM, b":"))
    try:
        answer = json.loads(body)
    except RecursionError:
        return None, False
    except ValueError:
        answer, whole = _first_value(body), False
    if isinstance(answer, list) and len(answer) == 1:
        # Google's streams are lists where they are not asked for as events.
        [answer], whole = answer, False
    if not isinstance(answer, dict):
        return answer, whole
    for name in ("data", "result", "response", "output"):
        inner = answer.get(name)
        if "choices" not in answer and isinstance(inner, dict) and inner.get("choices"):
            answer, whole = {"usage": answer.get("usage"), **inner}, False
    choices = answer.get("choices")
    if isinstance(choices, dict) and choices:
        one = any(name in choices for name in ("message", "delta", "text"))
        answer["choices"], whole = [choices] if one else list(choices.values()), False
    return answer, whole


def _first_value(body: bytes) -> Any:
    try:
        text = _COMMENTS.sub("", body.removeprefix(BOM).decode())
        return json.JSONDecoder().raw_decode(text)[0] if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None


def error_in(answer: Any) -> Any:
    """The error that stands where an answer should be; None where there is none."""
    if not isinstance(answer, dict):
        return None
    base = answer.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return base
    errors = answer.get("errors")
    error = answer.get("error") or (errors[0] if isinstance(errors, list) and errors else None)
    if isinstance(error, dict | str):
        return error
    said = any(isinstance(answer.get(name), str) for name in ("message", "msg", "detail"))
    return answer if said and not answer.keys() & {"id", "done", "content"} else None
