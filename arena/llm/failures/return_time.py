"""Reads when a provider has a new quota: in a sentence, a field, or a wait that is too long for a
call."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from arena.llm.failures.retry_after import (
    fields_of,
    requested_wait,
    wait_in_body,
    wait_in_words,
)

# Seconds; what returns earlier is waited for.
_SOON = 600.0
# A year: what is further away is no time of a quota's.
_LATEST = 366 * 86_400.0

_ON = re.compile(
    r"\b(?:regain|reset|renew|replenish|refresh|restor|resum|again|available|until|retry|expire)"
    r"[^.\d]{0,40}?(\d{4}-\d\d-\d\d)(?:(?:t|,? at | )(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?"
    r" ?(z|utc|gmt|[+-]\d\d:?\d\d)?",
)
# "2.16:00:00" is two days and sixteen hours.
_SPAN = re.compile(r"\b(?:replenish|reset|renew)\w* in (?:(\d{1,3})\.)?(\d\d):(\d\d):(\d\d)\b")
_AT = re.compile(r"(?:quota|limit|rate_?limit)?_?resets?_?(?:at|time|timestamp|on|date)")
_IN = re.compile(r"(?:quota)?_?resets?_?(?:in|after|delay)(?:_?(?:s|secs?|seconds))?")


def return_time(headers: Mapping[str, str], body: Any, said: str, now: datetime) -> datetime | None:
    """When there is a new quota, in UTC; None where nobody says, or where it is minutes away.

    `headers` have lower-case names, `body` is parsed, `said` is the beginning of what was said.
    """
    found = [
        moment
        for moment in _told(body, " ".join(said.lower().split()), now)
        if _SOON <= (moment - now).total_seconds() <= _LATEST
    ]
    if found:
        return max(found)
    waits = (
        requested_wait(headers, math.inf),
        wait_in_body(body, math.inf),
        wait_in_words(said, math.inf),
    )
    wait = max((one for one in waits if one is not None), default=0.0)
    return now + timedelta(seconds=wait) if _SOON <= wait <= _LATEST else None


def in_words(moment: datetime, now: datetime) -> str:
    """A moment to come, for a person: "2026-12-01 00:00 UTC (in 2 days)"."""
    minutes = max(1, round((moment - now).total_seconds() / 60))
    if minutes < 100:
        away = f"{minutes} min"
    elif minutes < 48 * 60:
        away = f"{minutes / 60:.0f} h"
    else:
        away = f"{minutes / 1440:.0f} days"
    return f"{moment:%Y-%m-%d %H:%M} UTC (in {away})"


def _told(body: Any, words: str, now: datetime) -> Iterator[datetime]:
    dated = _ON.search(words)
    if dated is not None:
        zone = (dated[3] or "").removeprefix("z").removeprefix("utc").removeprefix("gmt")
        yield from _dated(f"{dated[1]}T{dated[2] or '00:00'}{zone or '+00:00'}")
    span = _SPAN.search(words)
    if span is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
        yield now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    for name, value in fields_of(body):
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            continue
        if _AT.fullmatch(name):
            yield from _moment(value)
        elif _IN.fullmatch(name):
            wait = requested_wait({"retry-after": str(value)}, math.inf)
            if wait is not None and wait <= _LATEST:
                yield now + timedelta(seconds=wait)


def _moment(value: str | float) -> Iterator[datetime]:
    """A time since the epoch, in seconds or milliseconds, or a date of ISO 8601."""
    try:
        number = float(value)
    except OverflowError:
        return
    except ValueError:
        yield from _dated(str(value))
        return
    if number > 1e11:
        number /= 1000.0
    if 1e9 < number < 1e11:
        yield datetime.fromtimestamp(number, UTC)


def _dated(text: str) -> Iterator[datetime]:
    try:
        moment = datetime.fromisoformat(text)
        yield (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return
