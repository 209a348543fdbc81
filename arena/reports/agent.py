"""What an agent says: what it is made of, and how it errs in finished games."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.reports.error_rates import ErrorRates, error_rates
from db import Agent
from db.queries.conduct import ConductRow
from db.versions import VersionedName


@dataclass(frozen=True, slots=True)
class AgentReport:
    """An agent of the catalogue; `errors` is None where nothing is known of its turns."""

    id: int
    name: str
    kind: str
    model: str
    prompt: str
    options: Mapping[str, Any]
    class_: str | None
    fingerprint: str
    active: bool
    created_at: datetime
    errors: ErrorRates | None = None


def agent_report(agent: Agent, conduct: ConductRow | None = None) -> AgentReport:
    """The report of an agent from its row, with its conduct where that is known."""
    return AgentReport(
        id=agent.id or 0,
        name=agent.label,
        kind=VersionedName(agent.kind.name, agent.kind.version).label,
        model=agent.model.name,
        prompt=agent.prompt.name,
        options=agent.options,
        class_=agent.class_,
        fingerprint=agent.fingerprint,
        active=agent.active,
        created_at=agent.created_at,
        errors=error_rates([conduct]) if conduct else None,
    )
