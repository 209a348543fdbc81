"""Writes a tournament, with the branches of its games, into an archive."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlmodel import Session

from db import schema
from db.archive.tables import (
    FORMAT,
    MANIFEST,
    TABLES,
    VERSION,
    ArchivedTable,
    encoder,
    rows_of,
    table,
)
from db.errors import DatabaseError
from db.keys import calls_of_game, turns_of_game
from db.transcripts.reading import archived_rows

_ROWS_AT_A_TIME = 1_000
_GAMES_AT_A_TIME = 200
# The same rows make the same file, to the last bit.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archived:
    """What was written: the tournament, and the rows of each table."""

    tournament: str
    rows: Mapping[str, int]


def write_archive(session: Session, tournament_id: int, path: Path, release: str) -> Archived:
    """Write the facts of a tournament and of the branches of its games to a new file; `release` is
    that of the arena. A thousand rows at a time are in memory, and the numbers of the games.

    Raises DatabaseError for a tournament that is not there.
    """
    connection = session.connection()
    tournaments = table("tournaments")
    name = connection.execute(
        select(tournaments.c.name).where(tournaments.c.id == tournament_id)
    ).scalar()
    if name is None:
        raise DatabaseError(f"there is no tournament {tournament_id}")
    games = _games(connection, tournament_id)
    parts = _catalogue(connection, tournament_id, games)
    members: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for archived in TABLES:
            rows = _rows(connection, archived, tournament_id, games, parts)
            members[archived.name] = _write(archive, archived, rows)
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "release": release,
            "revision": schema.HEAD,
            "tournament": name,
            "tables": members,
        }
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        archive.writestr(_member(MANIFEST), text.encode("ascii"))
    return Archived(name, {name: int(found["rows"]) for name, found in members.items()})


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o600 << 16
    return member


def _write(
    archive: zipfile.ZipFile, archived: ArchivedTable, rows: Iterator[Sequence[Any]]
) -> dict[str, Any]:
    columns = [*archived.table.c]
    encoders = [encoder(column) for column in columns]
    digest = hashlib.sha256()
    count = size = 0
    lowest: dict[str, int] = {}
    with archive.open(_member(f"{archived.name}.jsonl"), "w", force_zip64=True) as file:
        for row in rows:
            fields = {
                column.name: None
                if value is None or column.name in archived.emptied
                else encode(value)
                for column, encode, value in zip(columns, encoders, row, strict=True)
            }
            line = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count, size = count + 1, size + len(line)
            for name, column_name in (("lowest", "id"), ("lowest_fold", "fold_index")):
                number = fields.get(column_name)
                if isinstance(number, int) and archived.key == "own":
                    lowest[name] = min(lowest.get(name, number), number)
    return {"rows": count, "bytes": size, "sha256": digest.hexdigest(), **lowest}


def _games(connection: Connection, tournament_id: int) -> list[int]:
    """The games of a tournament and the branches of all of them, however deep."""
    games = table("games")
    first = select(games.c.id).where(games.c.tournament_id == tournament_id).cte(recursive=True)
    branches = first.union_all(
        select(games.c.id)
        .join(first, games.c.parent_game_id == first.c.id)
        .where(games.c.tournament_id.is_(None))
    )
    return sorted({*connection.execute(select(branches.c.id)).scalars()})


def _catalogue(
    connection: Connection, tournament_id: int, games: Sequence[int]
) -> dict[str, list[int]]:
    """The rows of the catalogue that the games need, and the prompts that theirs were forked
    from."""
    seats, agents, prompts = table("game_players"), table("agents"), table("prompts")
    found: set[int] = set()
    rules = {
        connection.execute(
            select(table("tournaments").c.environment_id).where(
                table("tournaments").c.id == tournament_id
            )
        ).scalar_one()
    }
    for few in _few(games):
        found |= {
            *connection.execute(
                select(seats.c.agent_id).where(seats.c.game_id.in_(few)).distinct()
            ).scalars()
        }
        played = table("games").c
        rules |= {
            *connection.execute(
                select(played.environment_id).where(played.id.in_(few)).distinct()
            ).scalars()
        }
    found |= {
        int(agent)
        for few in _few(games)
        for (seats_,) in connection.execute(
            select(table("branch_runs").c.seats).where(table("branch_runs").c.game_id.in_(few))
        )
        for agent in seats_.values()
    }
    made = connection.execute(
        select(agents.c.kind_id, agents.c.model_id, agents.c.prompt_id).where(
            agents.c.id.in_(sorted(found))
        )
    ).all()
    parents: dict[int, int | None] = {
        row[0]: row[1] for row in connection.execute(select(prompts.c.id, prompts.c.forked_from))
    }
    texts: set[int] = set()
    for at in {row[2] for row in made}:
        prompt: int | None = at
        while prompt is not None and prompt not in texts:
            texts.add(prompt)
            prompt = parents[prompt]
    return {
        "kinds": sorted({row[0] for row in made}),
        "models": sorted({row[1] for row in made}),
        "prompts": sorted(texts),
        "agents": sorted(found),
        "environments": sorted(rule for rule in rules if rule is not None),
        "tournaments": [tournament_id],
    }


def _rows(
    connection: Connection,
    archived: ArchivedTable,
    tournament_id: int,
    games: Sequence[int],
    parts: Mapping[str, Sequence[int]],
) -> Iterator[Sequence[Any]]:
    columns = archived.table.c
    if archived.name in parts:
        yield from _streamed(
            connection, rows_of(archived).where(columns.id.in_(parts[archived.name]))
        )
        return
    if archived.name == "cached_answers":
        # Ordered by what they answer, over all games: they are few, and known by their calls.
        found = [row for few in _few(games) for row in _of_games(connection, archived, few)]
        yield from sorted(found, key=lambda row: str(row[0]))
        return
    for few in _few(games):
        yield from _of_games(connection, archived, few)


def _of_games(
    connection: Connection, archived: ArchivedTable, games: Sequence[int]
) -> Iterator[Sequence[Any]]:
    columns, statement = archived.table.c, rows_of(archived)
    if archived.name == "games":
        yield from _streamed(connection, statement.where(columns.id.in_(games)))
        return
    if "game_id" in columns and archived.key != "turn":
        yield from _streamed(connection, statement.where(columns.game_id.in_(games)))
        return
    # Keys are in the order of play: a range of them is a game.
    name = {"turn": "id", "call": "id"}.get(archived.key) or next(iter(archived.refers))
    span = calls_of_game if archived.key == "call" or name == "llm_call_id" else turns_of_game
    for game in games:
        first, after = span(game)
        stored = _streamed(
            connection, statement.where(columns[name] >= first, columns[name] < after)
        )
        away = archived_rows(connection, game)
        if away is None or archived.name not in away:
            yield from stored
        else:
            yield from _with_texts(archived, [*stored], away[archived.name])


def _with_texts(
    archived: ArchivedTable, stored: Sequence[Sequence[Any]], away: Sequence[Mapping[str, Any]]
) -> Iterator[Sequence[Any]]:
    """The rows of a table of a game whose texts are in a file, as they were."""
    names = [column.name for column in archived.table.c]
    if not stored:
        rows = [[row[name] for name in names] for row in away]
        places = [names.index(name) for name in archived.order]
        yield from sorted(rows, key=lambda row: [row[place] for place in places])
        return
    texts = {row["id"]: row for row in away}
    for row in stored:
        told = texts.get(row[names.index("id")], {})
        yield [told.get(name, value) for name, value in zip(names, row, strict=True)]


def _streamed(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    options = {"yield_per": _ROWS_AT_A_TIME}
    with connection.execute(statement, execution_options=options) as result:
        for rows in result.partitions():
            yield from rows


def _few(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(numbers), _GAMES_AT_A_TIME):
        yield numbers[at : at + _GAMES_AT_A_TIME]
