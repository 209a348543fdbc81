"""Archives the transcripts of games that ended long ago, and brings them back.

A game leaves the database in one transaction, after its rows were written to a file, are on the
disk and were read back. What is interrupted leaves a game either where it was or archived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import fasteners  # type: ignore[import-untyped]
from sqlalchemy import delete, func, insert, select, text
from sqlmodel import Session, col

from db.database import Database
from db.engine import begin_writing
from db.errors import DatabaseError, LeaseHeld, UnwritablePath
from db.live import branches_run_now
from db.maintenance.retention import Retention, candidates, expired_answers, expired_lines, old_size
from db.models import ArchivedGame, CachedAnswer, ExecutionLog, Game, LLMCall
from db.repository.audit import record_change
from db.search.opened import open_made_store, open_store
from db.search.store import IndexName
from db.transcripts.files import TranscriptFile, arrow, damaged_game, read_game
from db.transcripts.moved import MOVED, hash_of, read_rows, size_of
from db.transcripts.places import new_path, transcripts_folder, written_name
from db.transcripts.reading import archived_rows
from db.urls import shown

_GAMES_IN_A_FILE = 500
_BYTES_IN_A_FILE = 256 * 2**20
_RIGHT = text(
    "SELECT has_table_privilege(c.oid, :right) AND NOT "
    "current_setting('transaction_read_only')::boolean AS allowed, current_user AS user, "
    "pg_get_userbyid(c.relowner) AS owner FROM pg_class c WHERE c.oid = to_regclass(:table)"
)
_INDEXES: tuple[IndexName, ...] = ("words", "parts")

PruningStep = Literal["written", "kept", "moving", "moved"]
TellPruning = Callable[[PruningStep, int], None]
"""told(step, game_id): a game was written to a file, is on the disk, was taken out of the database
in a transaction that is not committed, and in one that is."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """What a policy would take out of a database: games that ended between `oldest` and `newest`
    with the rows and bytes of their texts, cached answers, and lines of logs. `busy` games are old
    enough and stay, because branches of them are being played."""

    games: int
    rows: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None
    answers: int
    lines: int
    busy: int

    @property
    def anything(self) -> bool:
        return bool(self.games or self.answers or self.lines)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken out: games with the rows and bytes of their texts, and the `files` that hold
    them; cached answers and lines of logs."""

    games: int
    rows: int
    bytes: int
    files: tuple[Path, ...]
    answers: int
    lines: int


@dataclass(frozen=True, slots=True)
class _Written:
    """A game in a file that is on the disk."""

    game_id: int
    row_group: int
    text_hash: bytes
    rows: int
    bytes: int


def prunable(session: Session, policy: Retention, now: datetime) -> Prunable:
    """What a policy would take out. Reads the sizes of all old texts."""
    games = [] if policy.transcripts is None else candidates(session, policy, now)
    busy = _busy(session, games)
    games = [game for game in games if game not in busy]
    rows, size = old_size(session, games)
    span = (None, None)
    if games:
        ends = select(func.min(col(Game.finished_at)), func.max(col(Game.finished_at)))
        first, last = session.execute(ends.where(col(Game.id).in_([games[0], games[-1]]))).one()
        span = (first, last)
    return Prunable(
        len(games),
        rows,
        size,
        *span,
        int(session.execute(_count(expired_answers(session, policy, now))).scalar_one()),
        int(session.execute(_count(expired_lines(policy, now))).scalar_one()),
        len(busy),
    )


def prune(
    database: Database,
    policy: Retention,
    now: datetime,
    *,
    folder: Path | None = None,
    told: TellPruning = lambda step, game_id: None,
) -> Pruned:
    """Archive what a policy says, and remove the cached answers and lines of logs that it says.

    Raises DatabaseError without pyarrow, UnwritablePath where files cannot be written, LeaseHeld
    while another process prunes. Whatever is raised, each game is where it was or archived.
    """
    with database.session(create=False) as session:
        games = [] if policy.transcripts is None else candidates(session, policy, now)
        busy = _busy(session, games)
        games = [game for game in games if game not in busy]
        _refuse_without_rights(session, policy, now, games)
    into = folder or transcripts_folder(database.url)
    moved: list[_Written] = []
    files: list[Path] = []
    if games:
        arrow()
        with _alone(into):
            for path, written in _written(database, games, into, now, told):
                done = _move(database, path, written, now, told)
                moved += done
                files += [path] if done else []
                if not done:
                    path.unlink(missing_ok=True)
    with database.session(create=False) as session:
        answers = expired_answers(session, policy, now)
        gone = _removed(session, CachedAnswer, col(CachedAnswer.request_hash), answers)
        lines = _removed(session, ExecutionLog, col(ExecutionLog.id), expired_lines(policy, now))
        if gone or lines:
            after = {"cached answers": gone, "lines of logs": lines}
            record_change(session, "archived_games", 0, "expired", "forget", after=after)
    return Pruned(
        len(moved),
        sum(each.rows for each in moved),
        sum(each.bytes for each in moved),
        tuple(files),
        gone,
        lines,
    )


def bring_back(
    database: Database,
    games: Sequence[int] | None = None,
    told: TellPruning = lambda step, game_id: None,
) -> int:
    """Put the transcripts of archived games back, of all with None; how many there were. Their
    files stay. Raises DatabaseError for a game that is not archived, Damaged for a file that is
    missing or not what was written; the games before it are back."""
    with database.session(create=False) as session:
        known = [*session.execute(select(col(ArchivedGame.game_id)).order_by("game_id")).scalars()]
    for game_id in games or ():
        if game_id not in known:
            raise DatabaseError(f"game {game_id} is not archived: nothing is to be brought back")
    back = 0
    for game_id in known if games is None else sorted({*games}):
        with database.session(create=False) as session:
            connection = session.connection()
            if connection.dialect.name == "sqlite":
                begin_writing(connection)
            rows = archived_rows(session, game_id)
            if rows is None:
                continue
            for part in MOVED:
                part.restore(connection, rows[part.name])
            session.execute(delete(ArchivedGame).where(col(ArchivedGame.game_id) == game_id))
            if not back:
                what = {"games": "all" if games is None else [*games]}
                record_change(session, "archived_games", 0, "transcripts", "delete", before=what)
            told("moving", game_id)
        back += 1
        told("moved", game_id)
    if back:
        _search_anew(database)
    return back


def _written(
    database: Database, games: Sequence[int], folder: Path, now: datetime, told: TellPruning
) -> Iterator[tuple[Path, list[_Written]]]:
    """Files with some of the games each, on the disk and read back."""
    at = 0
    while at < len(games):
        path = new_path(folder, now)
        written: list[_Written] = []
        size = 0
        with TranscriptFile(path) as file, database.session(create=False) as session:
            connection = session.connection()
            while at < len(games) and len(written) < _GAMES_IN_A_FILE and size < _BYTES_IN_A_FILE:
                game_id = games[at]
                at += 1
                rows = read_rows(connection, game_id)
                group = file.add(rows)
                written.append(_Written(game_id, group, hash_of(rows), *size_of(rows)))
                size += written[-1].bytes
                told("written", game_id)
            file.keep()
        for each in written:
            if hash_of(read_game(path, each.row_group, each.game_id, each.rows)) != each.text_hash:
                raise damaged_game(path, each.game_id)
            told("kept", each.game_id)
        yield path, written


def _move(
    database: Database, path: Path, written: Sequence[_Written], now: datetime, told: TellPruning
) -> list[_Written]:
    """Take games out of the database, each in a transaction: those whose rows are still the ones
    that were written."""
    moved: list[_Written] = []
    for each in written:
        with database.session(create=False) as session:
            if _take_out(session, path, each, now, first=not moved, of=len(written)):
                told("moving", each.game_id)
                moved.append(each)
        if moved and moved[-1] is each:
            told("moved", each.game_id)
    return moved


def _take_out(
    session: Session, path: Path, each: _Written, now: datetime, *, first: bool, of: int
) -> bool:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        begin_writing(connection)
    row = session.execute(
        select(col(Game.status)).where(col(Game.id) == each.game_id).with_for_update()
    ).first()
    there = session.get(ArchivedGame, each.game_id)
    if row is None or row[0] not in ("completed", "void") or there is not None:
        return False
    if _busy(session, [each.game_id]) or hash_of(read_rows(connection, each.game_id)) != (
        each.text_hash
    ):
        return False
    file = written_name(connection.engine.url, path)
    session.execute(
        insert(ArchivedGame).values(
            game_id=each.game_id,
            file=file,
            row_group=each.row_group,
            text_rows=each.rows,
            text_bytes=each.bytes,
            text_hash=each.text_hash,
            archived_at=now,
        )
    )
    calls = select(col(LLMCall.id)).where(
        col(LLMCall.id) >= each.game_id << 32, col(LLMCall.id) < each.game_id + 1 << 32
    )
    session.execute(delete(CachedAnswer).where(col(CachedAnswer.llm_call_id).in_(calls)))
    for part in MOVED:
        part.remove(connection, each.game_id)
    if first:
        # With the first game of a file: nothing goes that is not on the trail.
        after: dict[str, Any] = {"file": file, "games": of}
        record_change(session, "archived_games", 0, "transcripts", "add", after=after)
    return True


def _busy(session: Session, games: Sequence[int]) -> set[int]:
    """Those of some games of which branches are being played, or are to be played on."""
    wanted = {*games}
    unfinished = select(col(Game.parent_game_id)).where(
        col(Game.parent_game_id).is_not(None), col(Game.status).in_(("running", "scheduled"))
    )
    parents = {*session.execute(unfinished.distinct()).scalars()}
    return wanted & (parents | {run.game_id for run in branches_run_now(session)})


def _refuse_without_rights(
    session: Session, policy: Retention, now: datetime, games: Sequence[int]
) -> None:
    """Raises DatabaseError, before anything is archived, where this user of a server may not take
    out all that a policy says."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return
    needed = [("INSERT", "archived_games", "transcripts")] if games else []
    for what, chosen, table in (
        ("answers", expired_answers(session, policy, now), "cached_answers"),
        ("logs", expired_lines(policy, now), "execution_logs"),
    ):
        if session.execute(_count(chosen)).scalar_one():
            needed.append(("DELETE", table, what))
    for right, table, what in needed:
        row = connection.execute(_RIGHT, {"table": table, "right": right}).one()
        if not row.allowed:
            raise DatabaseError(
                f"{row.user} may not {right} rows of {table} (the {what} of the policy) in "
                f"{shown(connection.engine.url)}: do it as {row.owner}, who owns the table, or "
                f"write `{what}: never` into the policy; nothing was taken out"
            )


def _count(statement: Any) -> Any:
    return select(func.count()).select_from(statement.subquery())


def _removed(session: Session, model: Any, key: Any, chosen: Any) -> int:
    if not session.execute(_count(chosen)).scalar_one():
        # Who may not remove any can do without.
        return 0
    result: Any = session.execute(delete(model).where(key.in_(chosen)))
    return int(result.rowcount)


def _search_anew(database: Database) -> None:
    """Empty the indexes of search, which may have been filled while a game was away."""
    with database.session(create=False) as session:
        for name in _INDEXES:
            made = open_made_store(session, name)
            if made is None:
                continue
            made.__exit__(None, None, None)
            with open_store(database.url) as store:
                store.clear(name)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time writes into a folder; what another one left unfinished is removed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePath(
            f"the folder {folder} cannot be made ({error.strerror or error}): give another one "
            "with --folder"
        ) from error
    lock = fasteners.InterProcessLock(str(folder / ".lock"))
    try:
        held = lock.acquire(blocking=False)
    except OSError as error:
        raise UnwritablePath(
            f"the folder {folder} cannot be written ({error.strerror or error}): give another one "
            "with --folder"
        ) from error
    if not held:
        if lock.lockfile is not None:
            lock.lockfile.close()
        raise LeaseHeld(f"another process writes transcripts into {folder}: wait for it to end")
    try:
        for left in folder.glob("*.partial"):
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
