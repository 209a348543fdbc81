"""Who was ahead in a game, turn by turn: exact play at random, blended with the games on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from arena import registry
from arena.core import Event, Position, UsageError
from db import Repository, Session
from db.queries.events import events, events_state
from db.queries.games import game as game_row
from db.queries.positions import StoodAlike, counted_positions, stood_alike, uncounted
from db.writer.events import EventRow

BLEND = 20
"""As many games count for the chance of play at random."""


@dataclass(frozen=True, slots=True)
class TurnChance:
    """The chance of `team` in a position: `random` is exact for play at random; of the `games` on
    record that stood alike it has `won` so many; `chance` has both in it, with its 95 % interval
    from `low` to `high`. `turned` says that the interval lies wholly above or below that before.

    The interval knows nothing of who plays; the games were not drawn at random.
    """

    turn: int | None
    name: str
    team: str
    random: float
    games: int
    won: int
    chance: float
    low: float
    high: float
    turned: bool = False


def chances(
    session: Session, game_id: int, told: Sequence[EventRow] | None = None
) -> list[TurnChance]:
    """The chances of a finished game, position by position; `told` are its events, where they are
    read already.

    Raises UsageError for a game that is not there, has no events, or whose environment does not
    tell chances.
    """
    game = game_row(session, game_id)
    if game is None or game.environment is None or game.environment_id is None:
        raise UsageError(f"there is no game {game_id} of an environment; `arena games` lists them")
    state = events_state(session, game_id)
    if state is None or state.version is None or state.error is not None:
        raise UsageError(f"game {game_id} has no events: type `arena events rebuild`")
    name = game.environment
    rules = registry.load("environments", name)(name=name)
    telling = getattr(rules, "positions", None)
    roles = [player.role for player in game.players]
    told = events(session, game_id) if told is None else told
    if telling is None or not (own := telling(events_read(told), roles)):
        raise UsageError(f"{name} does not tell chances (`arena.core.TellsChances`)")
    alike = stood_alike(session, game.environment_id, [position.name for position in own])
    if game.tournament_id is not None:
        # The game itself is no evidence of how others like it end.
        for name, team in counted_positions(session, game_id):
            if name in alike:
                found = alike[name]
                alike[name] = StoodAlike(found.games - 1, found.won - (team == game.winning_team))
    return _blended(own, alike)


def events_read(rows: Iterable[EventRow]) -> list[Event]:
    """Events from their rows."""
    return [
        Event(
            row.kind, row.source, row.target, row.audience, row.data, row.day, row.phase, row.turn
        )
        for row in rows
    ]  # fmt: skip


def left_out(session: Session, game_id: int) -> bool:
    """Whether games on record are missing in the chances of a game: they were never asked where
    they stood."""
    game = Repository(session).get_game_by_id(game_id)
    if game is None or game.environment_id is None:
        return False
    return uncounted(session, game.environment_id)


def _blended(own: Sequence[Position], alike: Mapping[str, StoodAlike]) -> list[TurnChance]:
    """A Beta distribution for each position, with play at random as BLEND games before it."""
    from scipy.stats import beta

    open_ = [at for at in own if at.chance not in (0.0, 1.0)]
    above = {at: BLEND * at.chance + _alike(at, alike).won for at in open_}
    below = {
        at: BLEND * (1 - at.chance) + _alike(at, alike).games - _alike(at, alike).won
        for at in open_
    }
    # All at once: each call costs as much as a hundred intervals.
    lows, highs = beta.interval(0.95, [*above.values()], [*below.values()]) if above else ([], [])
    bounds = dict(zip(above, zip(lows, highs, strict=True), strict=True))
    found: list[TurnChance] = []
    for at in own:
        games = _alike(at, alike)
        if at not in bounds:
            # It is over, or as good as.
            chance = low = high = at.chance
        else:
            chance = above[at] / (above[at] + below[at])
            low, high = (float(each) for each in bounds[at])
        turned = bool(found) and (low > found[-1].high or high < found[-1].low)
        found.append(
            TurnChance(
                at.turn, at.name, at.team, at.chance, games.games, games.won, chance, low, high,
                turned,
            )
        )  # fmt: skip
    return found


def _alike(at: Position, alike: Mapping[str, StoodAlike]) -> StoodAlike:
    return alike.get(at.name, StoodAlike())
