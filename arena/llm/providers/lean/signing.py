"""Signs requests to Amazon with a library's own function, anew for each body, with the access key
that stands in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.llm.providers.lean.rewriting import LibraryCall, copied
from arena.llm.providers.lean.template import filled

_ACCESS = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
    "token": "AWS_SESSION_TOKEN",
}
SIGNED = frozenset({"authorization", "x-amz-date", "x-amz-security-token"})
"""Headers that differ with each signed request."""


@dataclass(frozen=True, slots=True)
class Signing:
    """`call` signed one request."""

    call: LibraryCall

    def headers(self, body: bytes, given: Mapping[str, str]) -> dict[str, str] | None:
        """The headers that sign a request with this body, by lower-case name; `given` are values in
        the places of marks. None where the environment holds no access key."""
        held = _held()
        if not held["access_key"] or not held["secret_key"]:
            return None
        credentials = type(self.call.named["credentials"])(**held)
        named = {**self.call.named, "credentials": credentials, "data": body}
        for name in ("headers", "extra_headers"):
            if named.get(name):
                named[name] = {one: filled(said, given) for one, said in named[name].items()}
        request = self.call.function(*self.call.args, **copied(named))
        signed = {name.lower(): value for name, value in dict(request.headers).items()}
        return {name: value for name, value in signed.items() if name in SIGNED}


def signing_of(call: LibraryCall) -> Signing | str | None:
    """The signing of a request that this call prepared; None for one with a token of its own, a
    reason where the access key is another one than the environment's."""
    credentials = call.named.get("credentials")
    if credentials is None:
        return None
    held = _held()
    if any(getattr(credentials, name, None) != value for name, value in held.items()):
        return "LiteLLM finds and renews its access key by itself"
    return Signing(call)


def _held() -> dict[str, Any]:
    return {name: os.environ.get(variable) or None for name, variable in _ACCESS.items()}
