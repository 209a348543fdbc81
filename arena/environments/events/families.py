"""Which facts belong to which family of games."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from arena.environments.events.facts import FamilyFacts, Safely, Tell
from arena.environments.events.secret_mafia import SecretMafiaFacts

FAMILIES: Mapping[str, type[FamilyFacts]] = MappingProxyType({"SecretMafia": SecretMafiaFacts})
"""By family, all environments whose name begins alike."""


def facts_for(family: str, rules: Any, tell: Tell, safely: Safely) -> FamilyFacts:
    """The facts of one play of some rules."""
    return FAMILIES.get(family, FamilyFacts)(rules, tell, safely)
