"""Live ratings as bytes and back: what a run leaves, so that the next one need not fold every game.

A line of JSON, then the numbers of its arrays as little-endian doubles. What comes back moves on
with the same bits.
"""

from __future__ import annotations

import json

import numpy as np

from arena.core.arrays import Floats
from arena.orchestrator.standings import Folded, LiveStandings
from arena.ratings.sides import LiveSides
from db import Recorder
from db.writer.live_states import LiveStateReached

VERSION = 1
"""It goes up when the same games leave other live ratings, or other bytes of them."""

_EVERY, _AT_THE_END = 5_000, 100
"""Games between two states that are kept, while a run goes on and at its end: so many are folded
again at most."""


class KeptRatings:
    """Keeps the live ratings of a run on record, now and then."""

    def __init__(self, tournament_id: int, standings: LiveStandings) -> None:
        self._tournament_id = tournament_id
        self._standings = standings
        self._place = standings.begun

    def keep(self, recorder: Recorder, game_id: int | None = None) -> None:
        """Keep them where enough games were settled since the last time, of which `game_id` is the
        latest; without one, at the end of a run."""
        place = self._standings.place
        if place - self._place >= (_AT_THE_END if game_id is None else _EVERY):
            self._place = place
            body = packed(self._standings.folded)
            key = self._tournament_id
            recorder.post(LiveStateReached(game_id or 0, key, VERSION, place, body))


def packed(folded: Folded) -> bytes:
    """Live ratings as bytes."""
    state = folded.state
    assert isinstance(state, LiveSides)
    plain, arrays = state.stored()
    head = {
        "games": [*map(list, folded.games.items())],
        "rated": folded.rated,
        "drawn": folded.drawn,
        "widths": plain,
        "sizes": [len(each) for each in arrays],
    }
    body = b"".join(np.ascontiguousarray(each, "<f8").tobytes() for each in arrays)
    return json.dumps(head).encode() + b"\n" + body


def unpacked(data: bytes) -> Folded | None:
    """The inverse of `packed`; None for what is none."""
    try:
        line, _, body = data.partition(b"\n")
        head = json.loads(line)
        numbers: Floats = np.frombuffer(body, "<f8").astype(np.float64)
        ends = np.cumsum(head["sizes"])
        if not len(ends) or ends[-1] != len(numbers):
            return None
        arrays = np.split(numbers, ends[:-1])
        state = LiveSides.restored(head["widths"], arrays)
        return Folded(state, dict(head["games"]), int(head["rated"]), int(head["drawn"]))
    except (ValueError, TypeError, KeyError, IndexError):
        return None
