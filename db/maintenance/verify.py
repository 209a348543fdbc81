"""Reads everything that a database holds, and lists what is not as it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import Session, col

from db import keys, schema
from db.codec import Codec
from db.database import Database
from db.engine import check_integrity
from db.errors import Damaged, DatabaseError
from db.faults import first_line
from db.maintenance.client import find_client, list_dump
from db.maintenance.manifest import read_manifest
from db.maintenance.restore import restore
from db.maintenance.transcript_copies import lost_before, lost_since
from db.models import Game, Prompt, SideCall, Tournament
from db.models.columns import Table
from db.queries.transcript import TurnRow, transcript
from db.repository.rows import hashed
from db.strange_files import strange_values
from db.write_ahead import missing_log

RequestHash = Callable[[str, Any, Any], str]
"""The hash of a request by the name of its model, its messages and what else was sent."""

_UNREADABLE = (DBAPIError, StatementError, ValueError, TypeError, LookupError, RecursionError)
_MOST_OF_A_KIND = 20
_LONGEST = 1_000  # characters of a line, which may repeat what it found
_PARTS = (
    "log", "pages", "schema", "rows", "references", "texts", "requests", "prompts and tournaments",
)  # fmt: skip
_MISSING = {
    "turn": text(
        "SELECT id FROM game_turns t WHERE NOT EXISTS "
        "(SELECT 1 FROM turn_payloads p WHERE p.game_turn_id = t.id) AND NOT EXISTS "
        "(SELECT 1 FROM archived_games a WHERE a.game_id = t.game_id)"
    ),
    "call": text(
        "SELECT id FROM llm_calls c WHERE NOT EXISTS "
        "(SELECT 1 FROM call_payloads p WHERE p.llm_call_id = c.id) AND NOT EXISTS "
        "(SELECT 1 FROM archived_games a WHERE a.game_id = c.id >> 32)"
    ),
}


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read, a sentence for everything that is damaged, and how many of them each part of
    what was looked at has; the revision of the tables, and why the rows of a backup were not read
    but compared with its manifest as a whole, None where they were."""

    games: int
    turns: int
    calls: int
    damage: tuple[str, ...]
    parts: Mapping[str, int]
    revision: str
    unread: str | None = None


def verify(database: Database, request_hash: RequestHash) -> Verified:
    """Read every page, row and stored text: each text against its checksum, each request, prompt
    and tournament against its hash. Raises what opening the database raises."""
    games = turns = calls = 0
    parts: dict[str, list[str]] = {name: [] for name in _PARTS}
    if (missing := missing_log(database.url)) is not None:
        parts["log"].append(missing)
    try:
        check_integrity(database.url, thoroughly=True)
    except Damaged as error:
        parts["pages"].append(str(error))
    database.check(create=False)
    parts["schema"] += schema.differences(database.engine)
    with database.session(create=False) as session:
        parts["rows"] += _rows(session)
        parts["references"] += _references(session)
        ids = session.connection().execute(select(col(Game.id)).order_by(col(Game.id)))
        for game_id in [*ids.scalars()]:
            assert game_id is not None
            games += 1
            try:
                played = transcript(session, game_id)
                parts["requests"] += _requests(played, request_hash)
                turns += len(played)
                calls += sum(len(turn.calls) for turn in played)
            except (DatabaseError, AssertionError, *_UNREADABLE) as error:
                parts["texts"].append(_said(f"game {game_id}", error))
            session.expunge_all()
        parts["requests"] += _side_calls(session, request_hash)
        parts["prompts and tournaments"] += _hashes(session)
    # What one part finds, a later one may find again.
    found: dict[str, None] = {}
    counts = {}
    for name, sentences in parts.items():
        before = len(found)
        found.update(dict.fromkeys(line[:_LONGEST] for line in sentences))
        counts[name] = len(found) - before
    return Verified(games, turns, calls, tuple(found), counts, schema.HEAD)


def verify_backup(backup: Path, request_hash: RequestHash) -> Verified:
    """Compare a backup, and the files of transcripts that belong to it, with its manifest. That of
    a file is restored into a file that is thrown away, and read like any database, if its tables
    are of this release; of a dump the table of contents is read.

    Raises DatabaseError for what is no backup, or has no manifest."""
    manifest = read_manifest(backup)
    lost = lost_before(manifest) + lost_since(backup, manifest)
    revision = manifest.revision
    try:
        manifest.check(backup)
        if manifest.kind == "postgresql":
            wrong = list_dump(find_client("pg_restore"), backup)
            if wrong is not None:
                raise Damaged(f"the dump {backup} cannot be read: {wrong}")
            unread = "the rows of a dump are read once it is restored"
        elif revision != schema.HEAD:
            unread = f"this release reads rows of revision {schema.HEAD} alone"
        else:
            # Where backups are there is room for one.
            with (
                TemporaryDirectory(prefix=".verified-", dir=backup.parent) as folder,
                Database(Path(folder) / "restored.db") as restored,
            ):
                restore(backup, restored)
                found = verify(restored, request_hash)
                # What is damaged is in the backup, not in what is thrown away.
                damage = tuple(each.replace(folder, str(backup)) for each in found.damage)
                return replace(
                    found, damage=lost + damage, parts={"manifest": len(lost), **found.parts}
                )
    except Damaged as error:
        lost, unread = (str(error), *lost), "its rows were not read"
    return Verified(0, 0, 0, lost, {"manifest": len(lost)}, revision, unread)


def _rows(session: Session) -> Iterator[str]:
    connection = session.connection()
    for table in Table.metadata.sorted_tables:
        try:
            for _ in connection.execution_options(yield_per=500).execute(select(table)):
                pass
        except _UNREADABLE as error:
            yield _said(f"the table {table.name}", error)
    if connection.dialect.name == "sqlite":
        yield from strange_values(connection.connection.driver_connection)  # type: ignore[arg-type]


def _references(session: Session) -> Iterator[str]:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        yield from _constraints(connection)
    for what, query in _MISSING.items():
        for row_id in connection.execute(query).scalars().fetchmany(_MOST_OF_A_KIND):
            if not isinstance(row_id, int):
                continue
            game, turn, player = keys.turn_of(row_id >> 8 if what == "call" else row_id)
            yield f"game {game}, turn {turn} (player {player}): the texts of a {what} are missing"


def _constraints(connection: Connection) -> Iterator[str]:
    for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")).fetchmany(
        _MOST_OF_A_KIND
    ):
        yield f"row {row} of {table} points to a row of {parent} that is not there"


def _requests(played: list[TurnRow], request_hash: RequestHash) -> Iterator[str]:
    for turn in played:
        for call in turn.calls:
            if call.request_hash is None or call.request is None:
                continue
            if request_hash(call.model_asked, call.messages, call.request) != call.request_hash:
                yield (
                    f"the record of game {turn.game_id} is damaged at turn {turn.turn_number} "
                    f"(player {turn.player_index}): the request of call {call.call_index} is not "
                    "the one whose hash was stored"
                )


def _side_calls(session: Session, request_hash: RequestHash) -> Iterator[str]:
    codec = Codec()
    query = select(SideCall.__table__).order_by(col(SideCall.id))  # type: ignore[attr-defined]
    try:
        for row in session.connection().execution_options(yield_per=500).execute(query):
            what = f"call {row.id} about game {row.game_id}"
            try:
                messages = json.loads(codec.unpack(row.messages)[0])
                if row.response is not None:
                    json.loads(codec.unpack(row.response)[0])
            except (DatabaseError, *_UNREADABLE) as error:
                yield f"{what} cannot be read whole: {first_line(error)}"
                continue
            if request_hash(row.model, messages, row.request) != row.request_hash:
                yield f"the request of {what} is not the one whose hash was stored"
    except _UNREADABLE:
        # Said already, of the table.
        return


def _hashes(session: Session) -> Iterator[str]:
    try:
        for prompt in session.connection().execute(select(Prompt.__table__)):  # type: ignore[attr-defined]
            if hashed(prompt.content) != prompt.content_hash:
                yield f"the prompt {prompt.name!r} is not the text whose hash was stored"
        rows = session.connection().execute(select(Tournament.__table__))  # type: ignore[attr-defined]
        for row in rows:
            written = json.dumps(row.config, sort_keys=True, separators=(",", ":"))
            own = {hashlib.sha256(written.encode()).hexdigest(), hashed(row.config)}
            if row.config_hash not in own:
                yield f"the tournament {row.name!r} is not the one whose hash was stored"
    except _UNREADABLE:
        # Said already, of the table.
        return


def _said(what: str, error: BaseException) -> str:
    if isinstance(error, Damaged):
        return str(error)
    return f"{what} cannot be read whole: {first_line(getattr(error, 'orig', None) or error)}"
