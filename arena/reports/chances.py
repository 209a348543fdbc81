"""Who was ahead in a game, turn by turn: exact play at random, blended with the games on record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from arena import registry
from arena.core import Event, Position, UsageError
from db import Repository, Session
from db.queries.events import events, latest_events
from db.writer.events import EventRow

BLEND = 20
"""As many games count for the chance of play at random."""

MOST_GAMES = 1_000
"""As many games on record are looked at, the latest."""

_KINDS = ("phase", "eliminate", "result")


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


def chances(session: Session, game_id: int) -> list[TurnChance]:
    """The chances of a finished game, position by position.

    Raises UsageError for a game that is not there, has no events, or whose environment does not
    tell chances.
    """
    game = Repository(session).get_game_by_id(game_id, with_relations=True)
    if game is None or game.environment is None or game.environment.id is None:
        raise UsageError(f"there is no game {game_id} of an environment; `arena games` lists them")
    if game.events_version is None or game.events_error is not None:
        raise UsageError(f"game {game_id} has no events: type `arena events rebuild`")
    name = game.environment.name
    rules = registry.load("environments", name)(name=name)
    telling = getattr(rules, "positions", None)
    roles = [player.role for player in game.players]
    if telling is None or not (own := telling(_told(events(session, game_id)), roles)):
        raise UsageError(f"{name} does not tell chances (`arena.core.TellsChances`)")
    stood: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for _, winner, cast, rows in latest_events(
        session, game.environment.id, _KINDS, most=MOST_GAMES, without=game_id
    ):
        for position in {each.name: each for each in telling(_told(rows), cast)}.values():
            stood[position.name] += 1
            won[position.name] += winner == position.team
    return _blended(own, stood, won)


def _blended(own: Sequence[Position], stood: Counter[str], won: Counter[str]) -> list[TurnChance]:
    """A Beta distribution for each position, with play at random as BLEND games before it."""
    from scipy.stats import beta

    found: list[TurnChance] = []
    for at in own:
        if at.chance in (0.0, 1.0):
            # It is over, or as good as.
            chance = low = high = at.chance
        else:
            above = BLEND * at.chance + won[at.name]
            below = BLEND * (1 - at.chance) + stood[at.name] - won[at.name]
            chance = above / (above + below)
            low, high = (float(each) for each in beta.interval(0.95, above, below))
        turned = bool(found) and (low > found[-1].high or high < found[-1].low)
        found.append(
            TurnChance(
                at.turn, at.name, at.team, at.chance, stood[at.name], won[at.name], chance, low,
                high, turned,
            )
        )  # fmt: skip
    return found


def _told(rows: Sequence[EventRow]) -> list[Event]:
    return [
        Event(
            row.kind, row.source, row.target, row.audience, row.data, row.day, row.phase, row.turn
        )
        for row in rows
    ]
