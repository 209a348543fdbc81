"""The kinds of event that scenarios have beside the arena's own."""

from __future__ import annotations

from typing import Any

from arena.core import EventKind

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_NUMBER = {"type": "number"}
_STATED = {"type": ["string", "number", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}


def _data(*required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


KINDS: tuple[EventKind, ...] = (
    EventKind(
        "briefing",
        "The target is told what only it knows, and what counts for it.",
        _data("private", "counts", private=_TEXTS, counts=_TEXTS),
    ),
    EventKind(
        "open_value",
        "A value that can be settled: what it takes, and how it is settled.",
        _data("value", "takes", "how", value=_TEXT, takes=_TEXT, how=_TEXT),
    ),
    EventKind(
        "scene_start",
        "A scene begins, the `number`th `of` so many; `speaks` are those who speak in turn, and "
        "`timeout_turns` the most turns that it has.",
        _data(
            "scene", "number", "of", "goal", "speaks", "timeout_turns",
            scene=_TEXT, number=_WHOLE, of=_WHOLE, goal={"type": ["string", "null"]},
            speaks={"type": "array", "items": _WHOLE}, timeout_turns=_WHOLE,
        ),
    ),
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
        "The points of the target at the end, in `parts` by what they were for; `low` and `high` "
        "are the fewest and the most that it could have. What is `hidden` was told to nobody.",
        _data(
            "points", "low", "high", "parts", points=_NUMBER, low=_NUMBER, high=_NUMBER,
            parts={
                "type": "array",
                "items": _data(
                    "for", "points", "hidden",
                    **{"for": _TEXT, "points": _NUMBER, "hidden": {"type": "boolean"}},
                ),
            },
        ),
    ),
)  # fmt: skip
