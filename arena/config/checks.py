"""Checks a tournament file for what a shape cannot say: names that clash, forks.

Works on the plain data, so that its findings are shown beside those about the shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from arena.config.errors import Problem, dotted
from arena.core import prompts


def check(data: Any) -> list[Problem]:
    """Everything that is wrong; `data` may be of any shape."""
    if not isinstance(data, Mapping):
        return []
    return [
        *_twice(data),
        *_same_agent(data),
        *_referee(data),
        *_forks(data),
    ]


def _entries(data: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    entries = data.get(key)
    if isinstance(entries, list | tuple):
        for index, entry in enumerate(entries):
            if isinstance(entry, Mapping):
                yield index, entry


def _twice(data: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("models", "prompts", "agents"):
        seen: dict[str, int] = {}
        for index, entry in _entries(data, key):
            name = entry.get("name")
            if not isinstance(name, str):
                continue
            if name in seen:
                path = (key, index, "name")
                other = dotted((key, seen[name]))
                yield Problem(path, f"{dotted(path)}: {name!r} is already the name of {other}")
            seen.setdefault(name, index)


def _referee(data: Mapping[str, Any]) -> Iterator[Problem]:
    """A referee that is one of the agents would be rated, and judge itself."""
    rules = data.get("environment")
    referee = rules.get("referee") if isinstance(rules, Mapping) else None
    if not isinstance(referee, Mapping):
        return
    path = ("environment", "referee")
    for index, entry in _entries(data, "agents"):
        name, other = referee.get("name", "Referee"), dotted(("agents", index))
        if entry.get("name") == name:
            yield Problem(path, f"{dotted(path)}: {name!r} is already the name of {other}")
        elif _identity(entry) == _identity(referee):
            yield Problem(
                path,
                f"{dotted(path)} is the same agent as {entry.get('name')!r} ({other}): same kind, "
                "model, prompt, options and vars; give it a prompt of its own",
            )


def _identity(entry: Mapping[str, Any]) -> str:
    parts = [
        entry.get("kind", "thinking"),
        entry.get("model"),
        entry.get("prompt"),
        entry.get("options", {}),
        *(entry.get(name) or made() for name, made in prompts.BESIDE.items()),
    ]
    return json.dumps(parts, sort_keys=True, default=str)


def _same_agent(data: Mapping[str, Any]) -> Iterator[Problem]:
    seen: dict[str, tuple[int, Any]] = {}
    for index, entry in _entries(data, "agents"):
        identity = _identity(entry)
        if identity in seen and entry.get("name") != seen[identity][1]:
            first, name = seen[identity]
            yield Problem(
                ("agents", index),
                f"agents[{index}] is the same agent as {name!r} (agents[{first}]): same kind, "
                "model, prompt, options and vars; change one of them or remove the agent",
            )
        seen.setdefault(identity, (index, entry.get("name")))


def _forks(data: Mapping[str, Any]) -> Iterator[Problem]:
    parents: dict[str, tuple[int, str]] = {}
    for index, entry in _entries(data, "prompts"):
        name, parent = entry.get("name"), entry.get("forked_from")
        if isinstance(name, str) and isinstance(parent, str):
            parents.setdefault(name, (index, parent))
    for name, (index, parent) in parents.items():
        seen = {name}
        while parent in parents and parent not in seen:
            seen.add(parent)
            parent = parents[parent][1]
        if parent == name:
            path = ("prompts", index, "forked_from")
            yield Problem(path, f"{dotted(path)}: {name!r} is forked from itself")
