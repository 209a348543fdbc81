"""The kinds of event that scenarios have beside the arena's own."""

from __future__ import annotations

from typing import Any

from arena.core import EventKind

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_NUMBER = {"type": "number"}
_STATED = {"type": ["string", "number", "null"]}


def _data(*required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


KINDS: tuple[EventKind, ...] = (
    EventKind(
        "scene_end",
        "A scene is over after `turns`: `reached` says whether it reached its goal, null where it "
        "has none or the referee is still to judge it.",
        _data(
            "scene", "turns", "reached",
            scene=_TEXT, turns=_WHOLE, reached={"type": ["boolean", "null"]},
        ),
    ),
    EventKind(
        "statement",
        "A player states a value in brackets.",
        _data("value", "stated", value=_TEXT, stated=_STATED),
    ),
    EventKind(
        "settled",
        "A value is settled, by agreement or by votes; `stated` is null for a vote that was tied.",
        _data(
            "value", "stated", "how", "by",
            value=_TEXT, stated=_STATED, how=_TEXT, by={"type": "array", "items": _WHOLE},
        ),
    ),
    EventKind(
        "verdict",
        "The referee's verdict, by field.",
        _data("fields", fields={"type": "object", "additionalProperties": _STATED}),
    ),
    EventKind(
        "score",
        "The points of a player at the end; `low` and `high` are the fewest and the most that it "
        "could have.",
        _data("points", "low", "high", points=_NUMBER, low=_NUMBER, high=_NUMBER),
    ),
)  # fmt: skip
