"""Signs what is sent to a program, so that it can tell the arena from anybody else.

`Arena-Signature: HEX` is the HMAC-SHA256, under the secret that both know, of the value of
`Arena-Timestamp` (seconds since 1970), a dot, and the body. The secret itself is never sent.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

TIMESTAMP = "Arena-Timestamp"
SIGNATURE = "Arena-Signature"
# Seconds by which two clocks may differ.
SKEW = 300.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a body that is sent at a time, in hexadecimal."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed(secret: str | None, body: bytes) -> dict[str, str]:
    """The headers that go with a body; none without a secret."""
    if secret is None:
        return {}
    timestamp = str(int(time.time()))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a body was signed with the secret, now."""
    timestamp = headers.get(TIMESTAMP, "")
    try:
        apart = abs(time.time() - float(timestamp))
    except ValueError:
        return False
    right = signature(secret, timestamp, body)
    return apart <= SKEW and hmac.compare_digest(right, headers.get(SIGNATURE, ""))
