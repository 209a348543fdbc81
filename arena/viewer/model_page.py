"""Models as their pages say them: what they add to an agent, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow
from arena.leaderboard.part_profiles import ListedModel, ModelProfile
from arena.leaderboard.places import BoardPlace
from arena.viewer.agent_page import WIDTH, DrawnEstimate, placed, pool, rating_span
from arena.viewer.charts import Axis, axis
from arena.viewer.curves import DrawnBars, drawn_bars


@dataclass(frozen=True, slots=True)
class ModelBoard:
    """The models of a board, best first, each with its rating on the axis and its number."""

    title: str
    scale: Axis
    rows: tuple[tuple[int | None, BoardRow, DrawnEstimate], ...]


@dataclass(frozen=True, slots=True)
class ModelPage:
    """The conclusion, and what it rests on."""

    conclusion: str
    lead: tuple[str, ...]
    bars: tuple[DrawnBars, ...]


def model_boards(found: Sequence[ListedModel], places: Sequence[BoardPlace]) -> list[ModelBoard]:
    """The boards that the models stand in."""
    numbers = {each.model.name: each.model.id for each in found}
    boards: dict[int, list[BoardPlace]] = {}
    for place in places:
        boards.setdefault(place.board, []).append(place)
    made = []
    for of in boards.values():
        # One alone is the average, and says nothing.
        if len(of) < 2:
            continue
        rows = [place.row for place in of]
        scale = axis([x for row in rows for x in (row.low, row.high)], 4, WIDTH - 4, 4)
        drawn = tuple((numbers.get(row.name), row, rating_span(row, scale)) for row in rows)
        made.append(ModelBoard(pool(of[0]), scale, drawn))
    return made


def conclusion(count: int, boards: Sequence[ModelBoard]) -> str:
    """Which model adds the most, as far as that can be said."""
    if not boards:
        return f"{count} model{'' if count == 1 else 's'}" if count else "No model yet"
    _, first, _ = boards[0].rows[0]
    others = sum(row.best_rank == 1 for _, row, _ in boards[0].rows[1:])
    if not others:
        return f"{first.name} adds the most"
    if first.worst_rank == len(boards[0].rows):
        return "No model clearly adds the most"
    return f"{first.name} adds the most, but not clearly"


def model_page(name: str, profile: ModelProfile) -> ModelPage:
    """The page of a model."""
    places = sorted(profile.board.places, key=lambda place: -place.row.record.whole.games)
    said = f"{name} {placed(places[0])}" if places else name
    if not places and profile.usage is None:
        said = f"{name} has not been called in a tournament"
    lead = [
        f"It adds {place.row.rating:.1f} ({place.row.low:.1f} to {place.row.high:.1f}) to an agent"
        f"{f' in {place.environment}' if place.environment else ''}, 25 being the average model: "
        f"{place.row.agents} agent{'' if place.row.agents == 1 else 's'}, "
        f"{place.row.record.whole.games:,} games."
        for place in places
    ]
    return ModelPage(said, tuple(lead), tuple(drawn_bars(profile.sample.slices)))
