"""Pickles what passes between a worker and its parent, many thousand times a second.

Python pickles a frozen dataclass with slots by code of its own, field by field. Those that pass
with every turn are written as their class and the values of their fields, in half the time.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from arena.core import Action, CallAnswer, CallIntent, Usage
from arena.core.tools import ToolUse
from arena.game.journal import Answered, Intended, Opened, Refused, ToolUsed, TurnTaken
from arena.game.logs import Acted
from arena.llm.chunks import Taken
from arena.llm.clearance import CallNeeds, Grant, Returned

_OFTEN = (
    Acted,
    Action,
    Answered,
    CallAnswer,
    CallIntent,
    CallNeeds,
    Grant,
    Intended,
    Opened,
    Refused,
    Returned,
    Taken,
    ToolUse,
    ToolUsed,
    TurnTaken,
    Usage,
)


def pickled(value: Any) -> bytes:
    """A value of plain data as `pickle.loads` reads it. Raises what pickle does."""
    data = io.BytesIO()
    _PlainPickler(data).dump(value)
    return data.getvalue()


def _by_fields(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    values = attrgetter(*(field.name for field in fields(kind)))
    return lambda value: (kind, values(value))


class _PlainPickler(pickle.Pickler):
    def __init__(self, data: io.BytesIO) -> None:
        super().__init__(data, pickle.HIGHEST_PROTOCOL)
        self.dispatch_table = _TABLE


_TABLE: dict[type, Callable[[Any], Any]] = {
    **copyreg.dispatch_table,
    **{kind: _by_fields(kind) for kind in _OFTEN},
}
