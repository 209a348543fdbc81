"""Writes the grids of a file out: every kind with every model and every prompt, each an agent.

`agents: {grid: {models: [a, b], prompts: [p]}}` are the agents thinking/a/p and thinking/b/p, as
the catalogue spells an agent without a name. A name follows from the agent's own parts, so that it
stays what it is when the grid grows. In a list of agents a grid stands beside others. From then on
its agents are like any others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from pydantic import ValidationError

from arena.config.errors import KeyPath, Problem, WrittenAt, explain, line_of
from arena.config.parts import GridConfig, GridEntry

_PARTS = (("kinds", "kind"), ("models", "model"), ("prompts", "prompt"))
_MOST = 1_000


def without_grids(
    data: Any, lines: Mapping[KeyPath, WrittenAt]
) -> tuple[Any, dict[KeyPath, WrittenAt], list[Problem]]:
    """The data of a file with its grids as agents, the lines by the agents' new places, and what is
    wrong with the grids; a wrong one is left out."""
    agents = data.get("agents") if isinstance(data, Mapping) else None
    alone = _is_grid(agents)
    entries = [agents] if alone else agents if isinstance(agents, list | tuple) else []
    if not any(map(_is_grid, entries)):
        return data, dict(lines), []
    written: list[Any] = []
    moved = {path: at for path, at in lines.items() if path[:1] != ("agents",) or len(path) == 1}
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        here: KeyPath = ("agents",) if alone else ("agents", index)
        if not _is_grid(entry):
            for path, at in lines.items():
                if path[:2] == here:
                    moved["agents", len(written), *path[2:]] = at
            written.append(entry)
            continue
        found = _read(entry, here, lines)
        if not isinstance(found, GridConfig):
            problems += found
            continue
        for chosen in product(*(enumerate(getattr(found, several)) for several, _ in _PARTS)):
            place = ("agents", len(written))
            agent = {"name": "/".join(name for _, name in chosen)}
            places: dict[KeyPath, KeyPath] = {place: here}
            for (several, one), (number, name) in zip(_PARTS, chosen, strict=True):
                agent[one] = name
                places[(*place, one)] = (*here, "grid", several, number)
            moved |= {new: lines[old] for new, old in places.items() if old in lines}
            written.append(agent)
    return {**data, "agents": written}, moved, problems


def _is_grid(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "grid" in entry


def _read(
    entry: Any, here: KeyPath, lines: Mapping[KeyPath, WrittenAt]
) -> GridConfig | Sequence[Problem]:
    try:
        grid = GridEntry.model_validate(entry).grid
    except ValidationError as error:
        wrong = [((*here, *found.path), found.message) for found in explain(error, GridEntry)]
    else:
        number = math.prod(len(getattr(grid, several)) for several, _ in _PARTS)
        if number <= _MOST:
            return grid
        said = f"grid makes {number:,} agents; expected at most {_MOST:,}"
        wrong = [((*here, "grid"), said)]
    # Other agents may come to stand at its place.
    return [Problem(path, message, line_of(lines, path)) for path, message in wrong]
