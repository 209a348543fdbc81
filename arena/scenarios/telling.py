"""The data of a scenario's events: what pages, notebooks and commands know of a game."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from arena.scenarios import briefing
from arena.scenarios.scoring import GameFacts, bounds, named, parts_of, points_of
from arena.scenarios.shape import Persona, ScenarioShape, SceneShape
from arena.scenarios.values import Stated, ValueState

_ROOM = 12_000  # characters of JSON: an event's data hold 16,000
_SHORTEST = 60
_MOST_LINES = 60


def clipped(text: str, room: int = _ROOM) -> str:
    """A text that takes at most so many characters as JSON, where one outside of the first 65,536
    takes twelve; a longer one ends with an ellipsis."""
    if len(text) * 12 <= room or len(json.dumps(text)) <= room:
        return text
    low, high = 0, min(len(text), room)
    while low < high:
        middle = (low + high + 1) // 2
        if len(json.dumps(text[:middle])) <= room - 8:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low]}…"


def _all_clipped(texts: Sequence[str], room: int) -> list[str]:
    kept = texts[:_MOST_LINES]
    return [clipped(text, max(_SHORTEST, room // max(len(kept), 1))) for text in kept]


def briefed(persona: Persona, shape: ScenarioShape) -> dict[str, Any] | None:
    """What a persona alone is told; None where that is nothing."""
    private = briefing.private_lines(persona)
    counts = briefing.counting_lines(persona, shape)
    if not private and not counts:
        return None
    return {
        "private": _all_clipped(private, _ROOM // 2),
        "counts": _all_clipped(counts, _ROOM // 2),
    }


def open_value(value: ValueState, shape: ScenarioShape) -> dict[str, Any]:
    """A value that can be settled."""
    return {
        "value": value.shape.name,
        "takes": clipped(value.takes(), _ROOM // 2),
        "how": clipped(briefing.how_settled(value, shape), _ROOM // 3),
    }


def scene_start(scene: SceneShape, number: int, of: int, speaks: Sequence[int]) -> dict[str, Any]:
    """A scene, counted from 1, that begins."""
    return {
        "scene": scene.title,
        "number": number,
        "of": of,
        "goal": None if scene.goal is None else clipped(scene.goal),
        "speaks": [*speaks],
        "timeout_turns": scene.timeout_turns,
    }


def verdict(fields: Mapping[str, Stated]) -> dict[str, Any]:
    """The referee's verdict, with texts as long as there is room for."""
    room = _ROOM // max(sum(isinstance(stated, str) for stated in fields.values()), 1)
    return {
        "fields": {
            name: clipped(stated, room) if isinstance(stated, str) else stated
            for name, stated in fields.items()
        }
    }


def score(persona: str, shape: ScenarioShape, facts: GameFacts) -> dict[str, Any]:
    """The points of a persona, and what they were for."""
    low, high = bounds(shape.scoring, persona)
    counted = [
        (each, points)
        for each, points in zip(shape.scoring, parts_of(shape.scoring, facts), strict=True)
        if each.persona == persona
    ]
    labels = _all_clipped([named(each) for each, _ in counted], _ROOM - 60 * _MOST_LINES)
    return {
        "points": points_of(shape.scoring, facts).get(persona, 0.0),
        "low": low,
        "high": high,
        "parts": [
            {"for": label, "points": points, "hidden": each.hidden}
            for label, (each, points) in zip(labels, counted, strict=False)
        ],
    }
