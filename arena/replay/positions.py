"""The positions that games on record came to, told from their events where nobody asked before."""

from __future__ import annotations

from arena import registry
from arena.core import PluginError, UsageError
from arena.events.gathering import positions_of
from arena.reports.chances import events_read
from db import Database, Game, Repository, Session
from db.queries.events import events
from db.queries.positions import roles, uncounted_games
from db.repository.positions import PositionDifference
from db.selection import Selection
from db.writer.games import PositionRow


def count_positions(database: Database, selection: Selection) -> int:
    """Tell and count the positions of the finished games of a selection that have events, but were
    never asked; each in a transaction of its own. Returns how many there were."""
    with database.session() as session:
        waiting = uncounted_games(session, selection)
    for game_id in waiting:
        with database.session() as session:
            game = session.get(Game, game_id, with_for_update=True)
            if game is not None and game.positions is None:
                Repository(session).replace_positions(game, _told(session, game))
    return len(waiting)


def recounted(database: Database, *, check: bool) -> list[PositionDifference]:
    """Where the counters of positions were not what the games say; without `check` they are counted
    again where they were not."""
    with database.session() as session:
        repo = Repository(session)
        found = repo.check_positions()
        if found and not check:
            repo.recount_positions()
    return found


def _told(session: Session, game: Game) -> list[PositionRow]:
    """None for a game whose environment is not installed, or tells something else now."""
    assert game.environment is not None
    assert game.id is not None
    name = game.environment.name
    try:
        rules = registry.load("environments", name)(name=name)
        telling = getattr(rules, "positions", None)
        told = events_read(events(session, game.id))
        found = positions_of(telling, told, roles(session, game.id))
    except (UsageError, PluginError, TypeError, ValueError):
        return []
    return [PositionRow(position.name, position.team) for position in found]
