"""Reads how long a provider asks to wait, from the headers of its response."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Whatever is asked: an hour from now is the same as never for a call.
LONGEST = 3600.0

_PLAIN = re.compile(r"\s*(\d{1,15}(?:\.\d{0,9})?)\s*", re.ASCII)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


def requested_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds from now, at most an hour; None where nothing sensible is asked for.

    `headers` have lower-case names. `retry-after-ms` and `retry-after` (seconds, or an HTTP date:
    RFC 9110, section 10.2.3) come first; else the latest `...ratelimit-reset-...` of a limit whose
    `...ratelimit-remaining-...` is 0.
    """
    milliseconds = _plain(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _capped(milliseconds / 1000.0)
    asked = headers.get("retry-after")
    if asked is not None:
        seconds = _plain(asked)
        wait = _capped(seconds) if seconds is not None else _until(asked, parsedate_to_datetime)
        if wait is not None:
            return wait
    return _reset(headers)


def _reset(headers: Mapping[str, str]) -> float | None:
    waits = []
    for name, value in headers.items():
        if "ratelimit" not in name or "reset" not in name:
            continue
        remaining = headers.get(name.replace("reset", "remaining"))
        if remaining is not None and _plain(remaining) == 0.0:
            wait = _moment(value)
            if wait is not None:
                waits.append(wait)
    return max(waits, default=None)


def _moment(value: str) -> float | None:
    """A duration ("6m0s", "120ms", "7"), a time since the epoch, or a date of ISO 8601."""
    number = _plain(value)
    if number is not None:
        now = datetime.now(UTC).timestamp()
        if number > 1e11:
            number /= 1000.0
        return _sane(number - now if number > 1e9 else number)
    found = _DURATION.fullmatch(value.strip())
    if found is not None and any(found.groups()):
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
        return _sane(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)
    return _until(value, datetime.fromisoformat)


def _sane(seconds: float) -> float | None:
    # A reset far away is the day's or the month's; of that nothing can be waited for.
    return max(0.0, seconds) if seconds <= LONGEST else None


def _until(value: str, read: Callable[[str], datetime]) -> float | None:
    try:
        moment = read(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _capped((moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _plain(value: str | None) -> float | None:
    found = _PLAIN.fullmatch(value) if value is not None else None
    return float(found[1]) if found is not None else None


def _capped(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST)
