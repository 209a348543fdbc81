"""Deletes a tournament, and computes again what the ratings and counts of the others are without
it."""

from __future__ import annotations

from dataclasses import dataclass

from arena.core import UsageError
from arena.leaderboard.rebuild import rebuild_on
from db import Repository, Session
from db.database import Source, opened
from db.finding import find
from db.live import branches_run_now, run_now
from db.queries.contents import TournamentContents, tournament_contents


@dataclass(frozen=True, slots=True)
class TournamentDeletion:
    """A tournament that would be or was deleted, and what goes along."""

    tournament_id: int
    name: str
    contents: TournamentContents


def preview(url: Source, name: str) -> TournamentDeletion:
    """What would be deleted. Writes nothing. Raises BadSelection for a name that is not on record,
    UsageError while something is run."""
    with opened(url) as database, database.session(create=False) as session:
        return _found(session, name)


def delete_tournament(url: Source, name: str) -> TournamentDeletion:
    """Delete a tournament with all of its games, in one transaction: stopped, it changes nothing.

    Ratings are a fold over all games in the order in which they finished: they are folded again
    without these, and so are the counts of pairs. Raises BadSelection for a name that is not on
    record; UsageError while a tournament or branches are run, and where ratings would have to be
    computed by a system that is not installed; LeaseHeld while another process has the tournament.
    """
    with opened(url) as database:
        with database.session(create=False) as session:
            key = _found(session, name).tournament_id
        with database.lease(key), database.session(create=False) as session:
            repo = Repository(session)
            repo.lock_catalogue()
            repo.lock_ratings()
            found = _found(session, name, apart_from=key)
            repo.delete_tournament(key)
            report = rebuild_on(session)
            if report.left and found.contents.rated:
                raise UsageError(
                    f"{report.left[0]}: install what is missing, or mend it, before "
                    f"{found.name!r} is deleted"
                )
            return found


def _found(session: Session, name: str, apart_from: int | None = None) -> TournamentDeletion:
    key = find(session, "tournament", name)[-1]
    row = Repository(session).get_tournament_by_id(key)
    assert row is not None
    running = run_now(session) - {apart_from}
    names = [each.name for each in Repository(session).get_tournaments() if each.id in running]
    names += [f"branches of game {run.game_id}" for run in branches_run_now(session)]
    if names:
        raise UsageError(
            f"nothing is deleted while games are played, by which ratings move: {', '.join(names)} "
            "is run now; let it finish, or stop it, then type the same command again"
        )
    return TournamentDeletion(key, row.name, tournament_contents(session, key))
