"""Similar moments: what was said like what was said in a turn, by the vectors of a model.

The vector of the turn is compared with all of the same space, some thousand at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.core import UsageError
from db import Session
from db.queries.archived_games import refuse_archived
from db.search.documents import ReadAnswer
from db.search.hits import SearchHit, fitting, hits_of, kinds_of
from db.search.vectors import action_of, all_vectors, vector_of
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class SimilarHit:
    """A text and how near it is: the cosine of the angle between both vectors, at most 1."""

    similarity: float
    hit: SearchHit


@dataclass(frozen=True, slots=True)
class SimilarHits:
    """The nearest texts, the nearest first; of equal texts the newest. `compared` is how many there
    were in the space, `without_events` how many games were left out because their events are not on
    record."""

    hits: tuple[SimilarHit, ...]
    compared: int
    without_events: int = 0


def similar(
    session: Session,
    space: str,
    place: tuple[int, int],
    selection: Selection,
    read: ReadAnswer,
    *,
    kind: Sequence[str] = (),
    phase: Sequence[str] = (),
    limit: int,
) -> SimilarHits:
    """The `limit` actions that are most like that of a (game, turn), and were not said in it, by
    the vectors of a space (`arena.aside.vectors.space_of`). Raises UsageError for a turn that has
    no vector, BadSelection for what is not on record."""
    own = vector_of(session, space, *place)
    if own is None:
        raise UsageError(_without_vector(session, place))
    wanted = np.frombuffer(own.vector, "<f4")
    turns: list[int] = []
    hashes: list[bytes] = []
    scores = []
    for some, digests, packed in all_vectors(session, space):
        turns += some
        hashes += digests
        scores.append(np.frombuffer(packed, "<f4").reshape(len(some), -1) @ wanted)
    # Texts that are as near to six digits are as near: the last bits depend on the machine.
    near = np.round(np.concatenate(scores).astype(np.float64), 6)
    order = np.lexsort((-np.arange(len(turns)), -near))
    chosen, kinds = selection.on(session), kinds_of(session, kind)
    silent: set[int] = set()
    found: list[tuple[int, float]] = []
    said = {own.text_hash}
    at, size = 0, 200
    while at < len(order) and len(found) < limit:
        page = {turns[place] << 2: place for place in order[at : at + size]}
        at, size = at + size, min(2 * size, 5_000)
        for key in fitting(session, chosen, kinds, phase, [*page], silent):
            if hashes[page[key]] not in said and len(found) < limit:
                said.add(hashes[page[key]])
                found.append((key, float(near[page[key]])))
    hits = hits_of(session, [key for key, _ in found], read)
    return SimilarHits(
        tuple(SimilarHit(near, hit) for (_, near), hit in zip(found, hits, strict=True)),
        len(turns),
        len(silent),
    )


def _without_vector(session: Session, place: tuple[int, int]) -> str:
    game_id, turn = place
    refuse_archived(session, game_id, "and nothing is compared with it")
    said, status = action_of(session, game_id, turn)
    if status is None:
        return f"there is no game {game_id}; `arena games` lists them"
    if not said:
        return f"nothing was said in turn {turn} of game {game_id}: `arena show {game_id}` shows it"
    if status not in ("completed", "void"):
        return f"game {game_id} is not over: its turns can be compared when it is"
    return (
        f"turn {turn} of game {game_id} has no vector yet: `arena search --like {game_id}:{turn}` "
        "makes it"
    )
