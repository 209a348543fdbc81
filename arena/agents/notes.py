"""What an agent has written down about a game: a small JSON object, bounded and never trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ENTRY = 240  # characters of one fact, claim or plan
_ENTRIES = 24  # facts, claims or suspicions


@dataclass(frozen=True, slots=True)
class Notes:
    """`suspicions`: player to 0..1; `claims`: player to what it says it is; `facts`, oldest first;
    `plan`: what to do next."""

    suspicions: Mapping[str, float] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    plan: str = ""

    def render(self) -> str:
        """The notes as JSON, on one line for each field."""
        fields = {
            "suspicions": dict(self.suspicions),
            "claims": dict(self.claims),
            "facts": list(self.facts),
            "plan": self.plan,
        }
        lines = [f"  {json.dumps(name)}: {_json(value)}" for name, value in fields.items()]
        return "{\n" + ",\n".join(lines) + "\n}"

    def within(self, limit: int) -> Notes:
        """The notes in at most `limit` characters: the oldest facts go first, then the claims,
        the plan and the suspicions."""
        notes = self
        while len(notes.render()) > limit and notes.facts:
            notes = Notes(notes.suspicions, notes.claims, notes.facts[1:], notes.plan)
        for smaller in (
            Notes(notes.suspicions, {}, notes.facts, notes.plan),
            Notes(notes.suspicions, {}, notes.facts, ""),
            Notes(),
        ):
            if len(notes.render()) <= limit:
                break
            notes = smaller
        return notes


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def parse(text: str) -> Notes | None:
    """The notes in a model's answer, or None where it holds no JSON object with any of their
    fields; what has the wrong shape inside is left out."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found.keys() & {"suspicions", "claims", "facts", "plan"}:
        return None
    return Notes(
        suspicions=_suspicions(found.get("suspicions")),
        claims=_claims(found.get("claims")),
        facts=_facts(found.get("facts")),
        plan=_text(found.get("plan")),
    )


def _suspicions(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {
        _text(player): min(1.0, max(0.0, float(much)))
        for player, much in list(value.items())[:_ENTRIES]
        if isinstance(much, int | float) and not isinstance(much, bool) and much == much
    }


def _claims(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    claims = {_text(player): _text(claim) for player, claim in list(value.items())[:_ENTRIES]}
    return {player: claim for player, claim in claims.items() if claim}


def _facts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(fact for fact in map(_text, value[-_ENTRIES:]) if fact)


def _text(value: Any) -> str:
    return value.strip()[:_ENTRY] if isinstance(value, str) else ""
