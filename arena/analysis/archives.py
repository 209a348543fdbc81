"""Archives a tournament into one file, and restores it in another database with all that is
computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from arena.analysis.export.places import new_file
from arena.analysis.source import Readable, session_on
from arena.leaderboard.rebuild import rebuild_on
from arena.record.counters import rebuild_counters
from arena.replay.events import rebuild_events
from db import Database
from db.archive import Archived, Restored, restore, write_archive
from db.archive.opened import open_archive
from db.database import Source, opened
from db.finding import find
from db.selection import Selection

_GAMES = 500  # in one question


@dataclass(frozen=True, slots=True)
class Imported:
    """What was restored, and what could not be computed again: `ratings` are sentences about pools,
    `events` about games, by their numbers here."""

    restored: Restored
    ratings: tuple[str, ...]
    events: tuple[str, ...]


def archive_tournament(path: str | Path, source: Readable = None, *, tournament: str) -> Archived:
    """Write the facts of a tournament, and of all branches of its games, to a new file, as of one
    moment.

    Raises UsageError for a file that is there, a missing database, and a tournament that is not on
    record.
    """
    with session_on(source, frozen=True) as session, new_file(Path(path)) as file:
        (number,) = find(session, "tournament", tournament)
        return write_archive(session, number, file, version("llm-arena"))


def import_archive(path: str | Path, source: Source = None) -> Imported:
    """Restore an archive in a database, which is made where it is not there.

    The rows, the ratings and the counts of pairs come in one transaction: when anything is refused,
    nothing is there. The events are told afterwards, game by game, and then the counters. Raises
    DatabaseError for what cannot be restored.
    """
    with open_archive(Path(path)) as archive, opened(source) as database:
        with database.session() as session:
            restored = restore(session, archive)
            session.flush()
            ratings = rebuild_on(session).left
        events = _told_again(database, restored)
        for _ in rebuild_counters(database, Selection(tournament=restored.tournament_id)):
            pass
        return Imported(restored, ratings, events)


def _told_again(database: Database, restored: Restored) -> tuple[str, ...]:
    chosen = [Selection(tournament=restored.tournament_id)]
    for at in range(0, len(restored.branches), _GAMES):
        chosen.append(Selection(game=restored.branches[at : at + _GAMES]))
    return tuple(
        f"game {told.game_id}: {(told.error or '').strip().splitlines()[-1]}"
        for games in chosen
        for _, told in rebuild_events(database, games)
        if told.error is not None
    )
