"""Tells by its name whether a value is a secret, and where a secret is written by reference."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_ALWAYS = frozenset(
    {
        "accesskey", "apikey", "auth", "authorization", "authtoken", "bearer", "certificate",
        "cookie", "cookies", "credential", "credentials", "jwt", "passphrase", "passwd", "password",
        "passwords", "pat", "privatekey", "pwd", "sas", "secret", "secretkey", "secrets", "sig",
        "signature",
    }
)  # fmt: skip
# What makes a key an ordinary one, and a token a piece of text.
_OF_CACHES = frozenset({"cache", "idempotency", "primary", "prompt", "sort"})
_OF_TEXT = frozenset(
    {
        "bos", "budget", "count", "end", "eos", "id", "ids", "limit", "max", "min", "num", "pad",
        "per", "special", "start", "stop", "think", "thinking", "unk",
    }
)  # fmt: skip

# `$NAME` or `${NAME}`, behind the scheme of an Authorization header or alone.
REFERENCE = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9-]{0,20} )?"
    r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})",
    re.ASCII,
)


def is_secret_name(name: str, value: object) -> bool:
    """Whether a value under this name is a secret, or holds one: `aws_secret_access_key`,
    `clientSecret`, `azure_ad_token`; not `max_tokens`, `eos_token` or `prompt_cache_key`."""
    if not isinstance(value, str | Mapping | list | tuple | int) or isinstance(value, bool):
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    if _ALWAYS & set(words):
        return bool(value)
    if not value or isinstance(value, int | list | tuple):
        return False
    for before, word in zip(["", *words], words, strict=False):
        if word in ("key", "keys") and before not in _OF_CACHES:
            return True
    return "token" in words and not _OF_TEXT & set(words)


def referred(value: object) -> str | None:
    """The variable that a value written as `$NAME`, `${NAME}` or `Bearer $NAME` stands for; None
    for any other value."""
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else found["bare"] or found["braced"]
