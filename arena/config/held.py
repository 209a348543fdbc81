"""Writes out the agents that people hold: `{name: Ann, kind: human}` needs no model and no prompt.

Their model is called `person`, and so is their prompt, which nobody reads; the option `person` says
who holds the seat, by default the agent's name. From then on they are agents like any others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.config.errors import KeyPath, WrittenAt, line_of
from arena.core.people import PERSON

HUMAN = "human"
MODEL: Mapping[str, Any] = {"name": PERSON, "litellm_model": PERSON, "provider": PERSON}
PROMPT: Mapping[str, Any] = {"name": PERSON, "text": "The person who holds the seat decides."}


def with_people(
    data: Any, lines: Mapping[KeyPath, WrittenAt]
) -> tuple[Any, Mapping[KeyPath, WrittenAt]]:
    """The data of a file with what its human agents leave out, and the lines with those of what is
    added."""
    if not isinstance(data, Mapping):
        return data, lines
    agents = data.get("agents")
    entries = [*agents] if isinstance(agents, list | tuple) else []
    rules = data.get("environment")
    referee = rules.get("referee") if isinstance(rules, Mapping) else None
    if not any(map(_is_human, (*entries, referee))):
        return data, lines
    everybody = [_written(entry) for entry in entries]
    written = {**data, "agents": everybody[:]} if entries else dict(data)
    if _is_human(referee):
        assert isinstance(rules, Mapping)
        everybody.append(_written(referee, "Referee"))
        written["environment"] = {**rules, "referee": everybody[-1]}
    placed = dict(lines)
    for key, noun, made in (("models", "model", MODEL), ("prompts", "prompt", PROMPT)):
        known = data.get(key) or []
        wanted = any(_is_human(entry) and entry.get(noun) == PERSON for entry in everybody)
        if wanted and isinstance(known, list | tuple) and not any(map(_is_person, known)):
            placed[key, len(known)] = line_of(lines, ("agents",)) or 1
            written[key] = [*known, dict(made)]
    return written, placed


def _is_human(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("kind") == HUMAN


def _is_person(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("name") == PERSON


def _written(entry: Any, name: str | None = None) -> Any:
    if not _is_human(entry):
        return entry
    options = entry.get("options") or {}
    if isinstance(options, Mapping):
        options = {PERSON: entry.get("name", name), **options}
    return {"model": PERSON, "prompt": PERSON, **entry, "options": options}
