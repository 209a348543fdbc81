"""Tells what of an account is used up: its money, a quota of hours or longer, or the account itself
is closed. A limit that passes within minutes is none of these.

Providers word all of it as a refusal: as a 400, 403 or 412, with the words for a rate, and with an
offer to sell more beside it.
"""

from __future__ import annotations

import re

from arena.llm.failures.kinds import FaultKind

_STATUSES = frozenset({400, 401, 403, 412, 429})

# Money that is owed or not there, whatever else is said.
_OWED = re.compile(
    r"insufficient[ _-]?(?:funds|credits?|balance|(?:user_)?quota|\w+ or \w+ balance)"
    r"|balance (?:is |was )?(?:too low|insufficient|not enough|exhausted|used up)"
    r"|not[ _]enough[ _](?:balance|credits?|funds)|quota is not enough|token_quota_failed"
    r"|negative balance|overdue|arrear|recharge|top[ -]?up|payment required|past invoices|unpaid"
    r"|payment[ _](?:method|instrument)|out of credits?|no credits|credits?_?error|credit limit"
    r"|(?:any|all|available|remaining|enough|sufficient|more|included|used your) credits"
    r"|credit balance|credits? (?:\w+ ){0,2}(?:depleted|exhausted|used up|expired|run out|ran out)"
    r"|budget[ _](?:\w+ ){0,2}(?:exceeded|exhausted|reached)|exhausted budget|exceeded \w+ budget"
    r"|free tier (?:\w+ ){0,4}exhausted|freetieronly|good standing"
    r"|billing (?:hard limit|to be enabled|not active)|enable billing|billing_(?:hard|not)"
    r"|余额|欠费|充值|额度不足",
    re.I,
)
# What may be the account's end or that of a period.
_USED_UP = re.compile(
    r"exceeded your current quota|billing|(?:spend(?:ing)?|key|usage) (?:limit|cap)s?\b"
    r"|usage_?limit_?(?:reached|exceeded)"
    r"|out of (?:\w+ ){0,3}quota|quota (?:\w+ ){0,2}(?:exceeded|exhausted|used up)",
    re.I,
)
# Google says so of a model that an account has no quota for at all.
_NONE_GIVEN = re.compile(r"quota exceeded for metric: [\w./-]+, limit: 0\b(?!\.)", re.I)
# A limit of a rate, which passes, and one of hours or more, for which nobody waits.
_RATE = re.compile(
    r"per[ _-]?(?:second|minute|min|hour)\b|\b[tr]p[ms]\b|rate[ _-]?limit|too many requests"
    r"|throttl|concurren",
    re.I,
)
# Google's name for every limit.
_RATE_OR_QUOTA = "RESOURCE_EXHAUSTED"
_LONG = re.compile(
    r"(?:per[ _-]?|by_?| / )(?:day|week|month)|\b(?:hourly|daily|weekly|monthly)\b|_daily"
    r"|\b[tr]pd\b|per 86400 ?s|\d+[ -]?(?:hour|day)s?\b|FreeUsageLimit",
    re.I,
)
_CLOSED = re.compile(
    r"(?:organi[sz]ation|account|project|workspace|team|subscription)[ _](?:\w+ ){0,4}"
    r"(?:disabled|restricted|suspended|deactivated|blocked|banned|terminated)\b"
    r"|not (?:allowed|authori[sz]ed|available) (?:for|to) (?:this|your) account"
    r"|location is not supported|country, region|unsupported_country|operation not allowed",
    re.I,
)


def account_fault(
    status: int, codes: tuple[str, ...], words: str, limits: str, wait: float | None, *, ends: bool
) -> FaultKind | None:
    """CREDIT, QUOTA or KEY; None for a failure of another kind.

    `words` are the beginning of what was said, `limits` the names of the limits in its fields.
    `wait` is what the provider asks to wait in seconds, as a quota of a minute does; `ends` says
    that it tells a later time at which there is a new quota.
    """
    if status == 402 or "insufficient_quota" in codes:
        return FaultKind.CREDIT
    if status not in _STATUSES:
        return None
    limited = f"{words} {limits}"
    passes = wait is not None or _RATE.search(limited) is not None
    if (_OWED.search(words) and not passes) or (status == 429 and _NONE_GIVEN.search(words)):
        return FaultKind.CREDIT
    used_up = _USED_UP.search(words) is not None
    if (used_up or status == 429) and (ends or _LONG.search(limited)):
        return FaultKind.QUOTA
    if used_up and not passes and _RATE_OR_QUOTA not in limited:
        return FaultKind.CREDIT
    return FaultKind.KEY if status in (400, 403, 412) and _CLOSED.search(words) else None


def is_of_a_rate(words: str, limits: str) -> bool:
    """Whether a refusal is worded as a limit that passes."""
    limited = f"{words} {limits}"
    return _RATE.search(limited) is not None or _RATE_OR_QUOTA in limited
