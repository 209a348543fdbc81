"""Clients as the tests make them: every installed provider, and policies by mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena import registry
from arena.core import Policy
from arena.llm.client import Client


def client(policies: Mapping[str, Policy] | None = None, **options: Any) -> Client:
    """A client; the scripted models are `policies`, by default the installed ones."""
    find = registry.policy if policies is None else policies.__getitem__
    return Client(registry.provider, policy=find, **options)
