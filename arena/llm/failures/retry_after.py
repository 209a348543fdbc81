"""Reads how long a provider asks to wait: in the headers of its response, its body or its words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# Seconds; whatever is asked, an hour from now is the same as never for a call.
LONGEST = 3600.0

_PLAIN = re.compile(r"\s*(\d{1,400}(?:\.\d{0,20})?(?:e\+?\d{1,3})?)\s*", re.ASCII | re.I)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")

# "26s", "1m26.4s", "1 hour and 5 minutes": each part is a number and its unit.
_UNITS = (
    ("ms|milli(?:second)?s?", 1e-3),
    ("s|secs?|seconds?", 1.0),
    ("m|mins?|minutes?", 60.0),
    ("h|hrs?|hours?", 3600.0),
    ("d|days?", 86400.0),
)
_PART = rf"(\d{{1,12}}(?:\.\d{{1,15}})?)\s?({'|'.join(unit for unit, _ in _UNITS)})(?![a-z])"
_PARTS = re.compile(_PART)
_SPAN = rf"((?:{_PART}(?:,? and |,? )?)+)"
_WORDS = re.compile(
    r"\b(?:retry(?:ing)?|try(?:ing)? (?:your request )?again|wait(?:ing)?|resets?|available)\b"
    rf"[^.\d]{{0,60}}?\b(?:in|after|for|within|at least|wait|about|another)?:? ?{_SPAN}"
)
_CHINESE = re.compile(r"(\d{1,6}) ?秒(?:后|之后|再)")
# "retry_after", "retryDelay", "retryAfterMs", "wait_seconds": seconds, where no unit stands there.
_FIELD = re.compile(
    r"(?:x-)?(?:retry|try_?again|wait)[_-]?(?:after|delay|in|time)?[_-]?(ms|millis\w*|s|secs?|seconds)?"
)
_DEEPEST = 12


def requested_wait(headers: Mapping[str, str], longest: float = LONGEST) -> float | None:
    """Seconds from now, at most `longest`; None where nothing sensible is asked for.

    `headers` have lower-case names. `retry-after-ms` and `retry-after` (seconds, or an HTTP date:
    RFC 9110, section 10.2.3) come first; else the latest `...ratelimit-reset-...` of a limit whose
    `...ratelimit-remaining-...` is 0.
    """
    named = sorted(name for name in headers if "retry-after" in name)
    # Milliseconds are the more exact of the two; then the header's own name.
    for name in sorted(named, key=lambda name: (not name.endswith("-ms"), name != "retry-after")):
        wait = _asked(headers[name], 1e-3 if name.endswith("-ms") else 1.0)
        if wait is not None:
            return min(wait, longest)
    return _reset(headers, longest)


def wait_in_body(body: Any, longest: float = LONGEST) -> float | None:
    """Seconds from now as a parsed body asks for in a field for it, the longest of several; at
    most `longest`. None where nothing sensible is asked for. No text inside is searched: it may be
    a player's."""
    waits = []
    for name, value in fields_of(body):
        if name == "headers" and isinstance(value, Mapping):
            headers = {str(key).lower(): str(one) for key, one in value.items()}
            waits.append(requested_wait(headers, longest))
        found = _FIELD.fullmatch(name)
        if found is None or not any(word in name for word in ("after", "delay", "in", "wait")):
            continue
        if isinstance(value, Mapping):
            value = value.get("seconds")
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            waits.append(_asked(str(value), 1e-3 if (found[1] or "").startswith("m") else 1.0))
    return max((min(wait, longest) for wait in waits if wait is not None), default=None)


def wait_in_words(said: str, longest: float = LONGEST) -> float | None:
    """Seconds from now as a provider asks for in a sentence; at most `longest`. None where it does
    not."""
    words = " ".join(said.lower().split())
    found = _WORDS.search(words)
    if found is not None:
        return min(_length(found[1]), longest)
    chinese = _CHINESE.search(words)
    return None if chinese is None else min(float(chinese[1]), longest)


def fields_of(body: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every field of a parsed body, names in lower case; those too of JSON that is the text of one,
    as routers pass on what a provider said."""
    if isinstance(body, str) and body.lstrip()[:1] in ("{", "["):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return
    if depth >= _DEEPEST:
        return
    if isinstance(body, Mapping):
        for name, value in body.items():
            yield str(name).lower(), value
            yield from fields_of(value, depth + 1)
    elif isinstance(body, list):
        for value in body[:100]:
            yield from fields_of(value, depth + 1)


def _asked(value: str, unit: float) -> float | None:
    """A number, a duration or a date."""
    number = _plain(value)
    if number is not None:
        # Some send the moment instead, as a time since the epoch.
        if 1e9 < number < 1e11:
            return _moment(value)
        return max(0.0, number * unit)
    words = value.strip().lower()
    if re.fullmatch(_SPAN, words):
        return _length(words)
    wait = _until(value, parsedate_to_datetime)
    return _until(value, datetime.fromisoformat) if wait is None else wait


def _length(words: str) -> float:
    return sum(
        float(number) * next(size for unit, size in _UNITS if re.fullmatch(unit, name))
        for number, name in _PARTS.findall(words)
    )


def _reset(headers: Mapping[str, str], longest: float) -> float | None:
    # A reset far away is the day's or the month's; of that nothing can be waited for.
    waits = []
    for name, value in headers.items():
        if "ratelimit" not in name or "reset" not in name:
            continue
        remaining = headers.get(name.replace("reset", "remaining"))
        if remaining is not None and _plain(remaining) == 0.0:
            wait = _moment(value)
            if wait is not None and wait <= longest:
                waits.append(wait)
    return max(waits, default=None)


def _moment(value: str) -> float | None:
    """A duration ("6m0s", "120ms", "7"), a time since the epoch, or a date of ISO 8601."""
    number = _plain(value)
    if number is not None:
        now = datetime.now(UTC).timestamp()
        if number > 1e11:
            number /= 1000.0
        return max(0.0, number - now if number > 1e9 else number)
    found = _DURATION.fullmatch(value.strip())
    if found is not None and any(found.groups()):
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    return _until(value, datetime.fromisoformat)


def _until(value: str, read: Callable[[str], datetime]) -> float | None:
    try:
        moment = read(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _plain(value: str | None) -> float | None:
    found = _PLAIN.fullmatch(value) if value is not None else None
    return float(found[1]) if found is not None else None
