"""Models as their pages say them: what they add to an agent, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow
from arena.leaderboard.profiles import ListedModel, ModelProfile, StoredPlaces
from arena.reports.usage import PartUsage
from arena.viewer.agent_page import WIDTH, DrawnEstimate, placed, rating_span
from arena.viewer.charts import Axis, axis
from arena.viewer.curves import DrawnBars, drawn_bars
from db import Model


@dataclass(frozen=True, slots=True)
class DrawnModel:
    """A model of the list with its rating on the axis."""

    model: Model
    agents: int
    usage: PartUsage | None
    row: BoardRow | None
    span: DrawnEstimate | None


@dataclass(frozen=True, slots=True)
class ModelPage:
    """The conclusion, and what it rests on."""

    conclusion: str
    lead: tuple[str, ...]
    bars: tuple[DrawnBars, ...]


def model_list(
    found: Sequence[ListedModel], board: StoredPlaces
) -> tuple[str | None, Axis, list[DrawnModel]]:
    """The environment with the most games, the axis of its ratings, and the models, best first."""
    games: dict[str, int] = {}
    for place in board.places:
        pool = place.environment or ""
        games[pool] = games.get(pool, 0) + place.row.record.whole.games
    first = max(games, key=lambda pool: games[pool]) if games else None
    of = {p.row.name: p.row for p in board.places if (p.environment or "") == first}
    scale = axis([x for row in of.values() for x in (row.low, row.high)], 4, WIDTH - 4, 4)
    rows = [
        DrawnModel(
            each.model,
            each.agents,
            each.usage,
            row := of.get(each.model.name),
            None if row is None else rating_span(row, scale),
        )
        for each in found
    ]
    rows.sort(key=lambda each: (each.row.rank if each.row else len(rows) + 1, each.model.name))
    return first or None, scale, rows


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
