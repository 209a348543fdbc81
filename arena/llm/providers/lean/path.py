"""What was learned of a model: how a request to it is made without the library."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict
from yarl import URL

from arena.core import Message
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.rewriting import Rewriting
from arena.llm.providers.lean.signing import Signing
from arena.llm.providers.lean.template import Template, Trait, filled, traits

KEY = "arena-probe-key-0123456789"
"""Stands where the key of a model is put."""


def header_mark(name: str) -> str:
    """What stands where the value of a header of this name is put."""
    return f"arena-probe-header-{name.lower()}-0123456789"


def variable_mark(name: str) -> str:
    """What stands where the value of a variable of this name is put."""
    return f"arena-probe-variable-{name.lower()}-0123456789"


@dataclass(frozen=True, slots=True)
class LeanPath:
    """How a model is asked. `allowed` are the traits with which a conversation is sent as it was
    learned; `variables` are environment variables whose values the library puts into a request by
    itself, by the marks that stand there. A `rewriting` makes the body, where the messages are not
    sent as they are, and a `signing` its headers."""

    template: Template
    dialect: Dialect
    how: Mapping[str, Any]
    prefix: str
    allowed: frozenset[Trait]
    variables: Mapping[str, str]
    rewriting: Rewriting | None = None
    signing: Signing | None = None
    _head: list[tuple[Mapping[str, str], URL, CIMultiDict[str]]] = field(
        default_factory=list, repr=False, compare=False
    )

    def unlike(self, messages: Sequence[Message]) -> str | None:
        """What is in the way of sending such a conversation as it was learned; None for nothing."""
        found = traits(messages)
        if found is None:
            return "a message that is no text of a usual role"
        if found <= self.allowed:
            return None
        return " and ".join(sorted(trait.value for trait in found - self.allowed))

    def secrets(self, key: str | None, headers: Mapping[str, str]) -> dict[str, str] | None:
        """What goes into the places of marks now; None where a variable is gone."""
        found = {header_mark(name): value for name, value in headers.items()}
        if key is not None:
            found[KEY] = key
        for stands, variable in self.variables.items():
            value = os.environ.get(variable)
            if not value:
                return None
            found[stands] = value
        return found

    async def body(self, messages: Sequence[Mapping[str, Any]], seed: int | None) -> bytes:
        """The bytes of a request with these messages. Raises whatever the library's rewriting
        does, and TypeError for a text that is not Unicode."""
        if self.rewriting is not None:
            return await self.rewriting.body(messages, seed)
        return self.template.body(messages, seed)

    def head(self, secrets: Mapping[str, str], body: bytes) -> tuple[URL, CIMultiDict[str]] | None:
        """The address and the headers of a request with these secrets, as aiohttp takes them the
        quickest; None where it cannot be signed."""
        head = self._head[0] if self._head else None
        if head is None or head[0] != secrets:
            headers = {**self.template.filled(secrets), "accept-encoding": "gzip, deflate"}
            url = URL(filled(self.template.url, secrets), encoded=True)
            # A thread that asks with another key puts its own here.
            head = (secrets, url, CIMultiDict(headers))
            self._head[:] = [head]
        _, url, known = head
        if self.signing is None:
            return url, known
        signed = self.signing.headers(body, secrets)
        return None if signed is None else (url, CIMultiDict({**known, **signed}))
