"""Frames and Parquet files of a large database, beside what one writes by hand for them.

By hand, names are joined and dates parsed; bytes that a text had to be cleaned of are left alone,
and dtypes are what they come to be. CPU, interleaved, in a process that has everything imported.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from arena.analysis import games_df
from arena.analysis.export import export_frames
from bench.generated import Scale, cached, generate
from bench.measure import Row, Sample, median, ratios, timed
from bench.workers import Workers

PART = "frames"
ROWS_AT_A_TIME = 20_000
TIMES = ("started_at", "finished_at", "created_at")

GAMES = """
SELECT g.id AS game_id, t.name AS tournament, e.name AS environment, e.num_players,
       g.schedule_index, g.block, g.seed, g.attempt, g.status, g.started_at, g.finished_at,
       g.winning_team, g.termination, g.reason, g.void_cause, g.environment_crashed, g.error,
       g.final, g.turn_count, g.fold_index, g.parent_game_id, g.parent_turn,
       coalesce(g.revision, 1) AS revision, g.game_info, g.events_version, g.events_reader,
       g.events_error, g.positions, g.created_at
FROM games g
LEFT JOIN tournaments t ON t.id = g.tournament_id
LEFT JOIN environments e ON e.id = g.environment_id
ORDER BY g.id
"""
# ADBC takes the type of a column from its first rows: a text is never missing here.
TURNS = """
SELECT u.id AS turn_id, u.game_id, u.turn_number, u.player_index, t.name AS tournament,
       e.name AS environment, p.agent_id,
       coalesce(a.alias, k.name || '/' || m.name || '/' || r.name) AS agent,
       k.name AS kind, m.name AS model, r.name AS prompt,
       coalesce(p.role, '') AS role, coalesce(p.team, '') AS team,
       coalesce(u.action, '') AS action, coalesce(u.submitted, u.action, '') AS submitted,
       u.invalid, coalesce(u.lapse, '') AS lapse, coalesce(u.target, '') AS target,
       coalesce(u.target_how, '') AS target_how, u.observed_at, u.acted_at,
       u.response_time_ms * 1.0 AS response_time_ms, u.tokens_used
FROM game_turns u
JOIN games g ON g.id = u.game_id
JOIN game_players p ON p.game_id = u.game_id AND p.player_index = u.player_index
LEFT JOIN tournaments t ON t.id = g.tournament_id
LEFT JOIN environments e ON e.id = g.environment_id
JOIN agents a ON a.id = p.agent_id
JOIN kinds k ON k.id = a.kind_id
JOIN models m ON m.id = a.model_id
JOIN prompts r ON r.id = a.prompt_id
ORDER BY u.id
"""
NUMBERS = {
    *("turn_id", "game_id", "turn_number", "player_index", "agent_id", "invalid", "observed_at"),
    *("acted_at", "tokens_used"),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """The database whose games are read, the one whose turns are written, and how often."""

    games: Scale
    turns: Scale
    rounds: int


FULL = Sizes(Scale(1_000_000, texts=20_000), Scale(100_000), rounds=3)
_SMALL = Scale(24, agents=6, tournaments=2, sources=2)
TOY = Sizes(_SMALL, _SMALL, rounds=1)


def games_by_hand(file: Path) -> pd.DataFrame:
    """The columns of `games_df` as one statement of pandas reads them."""
    with closing(sqlite3.connect(file)) as connection:
        frame = pd.read_sql(
            GAMES,
            connection,
            parse_dates={name: {"utc": True, "format": "ISO8601"} for name in TIMES},
        )
    told = frame["game_info"]
    frame["game_info"] = [None if value is None else json.loads(value) for value in told]
    return frame


def exported(file: Path, folder: Path) -> int:
    [written] = export_frames(folder / "out", file, frames=["turns"])
    return written.rows


def by_hand(file: Path, folder: Path) -> int:
    """Rows of `sqlite3` as arrays of Arrow, some thousand at a time."""
    with closing(sqlite3.connect(file)) as connection:
        cursor = connection.execute(TURNS)
        types = {"response_time_ms": pa.float64()}
        schema = pa.schema(
            (name, types.get(name, pa.int64() if name in NUMBERS else pa.string()))
            for name, *_ in cursor.description
        )
        rows = 0
        with pa.parquet.ParquetWriter(folder / "hand.parquet", schema, compression="zstd") as out:
            while piece := cursor.fetchmany(ROWS_AT_A_TIME):
                columns = zip(zip(*piece, strict=True), schema, strict=True)
                arrays = [pa.array(values, type=field.type) for values, field in columns]
                out.write_table(pa.Table.from_arrays(arrays, schema=schema))
                rows += len(piece)
    return rows


def by_adbc(file: Path, folder: Path) -> int:
    """Batches of Arrow as the driver gives them."""
    from adbc_driver_sqlite import dbapi

    rows = 0
    with dbapi.connect(f"file:{file}?mode=ro") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(ROWS_AT_A_TIME)})
        cursor.execute(TURNS)
        batches = cursor.fetch_record_batch()
        path = folder / "adbc.parquet"
        with pa.parquet.ParquetWriter(path, batches.schema, compression="zstd") as out:
            for batch in batches:
                out.write_batch(batch)
                rows += batch.num_rows
    return rows


def alternately(
    lanes: Sequence[tuple[str, Callable[[], int]]], rounds: int
) -> dict[str, list[Sample]]:
    """Each lane once a round, which all have to find the same number of rows."""
    found: dict[str, list[Sample]] = {name: [] for name, _ in lanes}
    for _ in range(rounds):
        for name, lane in lanes:
            found[name].append(timed(lane))
        counts = {samples[-1].count for samples in found.values()}
        if len(counts) != 1:
            raise RuntimeError(f"not the same rows: {counts}")
    return found


def reading(file: Path, rounds: int) -> dict[str, list[Sample]]:
    """`games_df` and `read_sql`."""
    if [*games_df(file, limit=0)] != [*games_by_hand(file).head(0)]:
        raise RuntimeError("games_df has other columns than what is read by hand")
    return alternately(
        [("arena", lambda: len(games_df(file))), ("by hand", lambda: len(games_by_hand(file)))],
        rounds,
    )


def writing(file: Path, rounds: int) -> dict[str, list[Sample]]:
    """A Parquet file of all turns; by ADBC where its driver is installed."""
    ways: dict[str, Callable[[Path, Path], int]] = {"arena": exported, "by hand": by_hand}
    if find_spec("adbc_driver_sqlite"):
        ways["ADBC"] = by_adbc

    def lane(way: Callable[[Path, Path], int]) -> Callable[[], int]:
        def work() -> int:
            with TemporaryDirectory() as folder:
                return way(file, Path(folder))

        return work

    return alternately([(name, lane(way)) for name, way in ways.items()], rounds)


def made(scale: Scale, folder: Path | None) -> Path:
    if folder is None:
        return cached(scale)
    file = folder / "arena.db"
    if not file.exists():
        generate(file, scale)
    return file


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """A row for `games_df`, and one for Parquet beside each other way to write it."""
    sizes = TOY if toy else FULL
    worker = workers.of("frames")
    with TemporaryDirectory() as folder:
        place = Path(folder) if toy else None
        read = worker.run(reading, file=made(sizes.games, place), rounds=sizes.rounds)
        written = worker.run(writing, file=made(sizes.turns, place), rounds=sizes.rounds)
    rows = [_row(f"games_df of {_count(read)} games", read, "by hand", "read_sql by hand", 0.9)]
    for name, beside in (("by hand", "sqlite3 and pyarrow by hand"), ("ADBC", "ADBC")):
        if name in written:
            what = f"Parquet of {_count(written)} turns"
            rows.append(_row(what, written, name, beside, None))
    return rows


def _count(found: dict[str, list[Sample]]) -> str:
    return f"{found['arena'][0].count:,}"


def _row(
    what: str, found: dict[str, list[Sample]], other: str, beside: str, target: float | None
) -> Row:
    rates: dict[str, Any] = {
        name: [sample.per_cpu for sample in found[name]] for name in ("arena", other)
    }
    return Row(
        PART,
        f"{what} / {beside}, rows a second of CPU",
        ratios(rates["arena"], rates[other]),
        target=target,
        numbers={f"{name}, rows/s": median(values) for name, values in rates.items()},
    )
