"""Exports the frames: a file each, in one format, of the games that a selection is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from arena.analysis.catalogue import agents_df, tournaments_df
from arena.analysis.chunks import FrameReader, in_chunks
from arena.analysis.events import events_df
from arena.analysis.export.card import ExportedFile, dataset_card
from arena.analysis.export.columns import ExportedColumn, columns_of, plain_values
from arena.analysis.export.files import FORMATS, Format, arrow, table_file
from arena.analysis.export.places import new_folder
from arena.analysis.frames import games_df, players_df
from arena.analysis.ratings import rating_changes_df, ratings_df
from arena.analysis.source import Filters, Readable, session_on
from arena.analysis.tool_calls import tool_calls_df
from arena.analysis.turns import calls_df, turns_df
from arena.core import UsageError
from arena.registry import unknown


@dataclass(frozen=True, slots=True)
class ExportedFrame:
    """A frame that can be exported, and a line of what it holds: how it is read, `games` at a time,
    so many that they fit into memory whole, or at once where that is None; a `payload` is left out
    where it is not asked for."""

    about: str
    reader: Callable[..., pd.DataFrame]
    games: int | None = 1000
    payload: bool = False


def _narrowed(reader: Callable[..., pd.DataFrame], *known: str) -> Callable[..., pd.DataFrame]:
    """A reader that is told all filters, of which it knows these."""

    def read(source: Readable = None, **filters: Any) -> pd.DataFrame:
        there = {name: value for name, value in filters.items() if name in (*known, "limit")}
        return reader(source, **there)

    return read


_KEYS = ("game_id", "turn_number", "player_index")
FRAMES: Mapping[str, ExportedFrame] = {
    "tournaments": ExportedFrame(
        "a row per tournament", _narrowed(tournaments_df, "tournament", "environment"), None
    ),
    "agents": ExportedFrame(
        "a row per agent", _narrowed(agents_df, "agent", "kind", "model", "prompt"), None
    ),
    "games": ExportedFrame("a row per game", games_df),
    "players": ExportedFrame("a row per player of a game", players_df),
    "turns": ExportedFrame("a row per turn", turns_df),
    "calls": ExportedFrame("a row per attempt at a provider", calls_df),
    "tool_calls": ExportedFrame("a row per call of a tool", partial(tool_calls_df, texts=True)),
    "events": ExportedFrame("a row per event of a finished game", events_df),
    "rating_changes": ExportedFrame(
        "what each game did to each agent's rating",
        _narrowed(rating_changes_df, "tournament", "environment", "agent", "game"),
    ),
    "ratings": ExportedFrame(
        "a row per agent of a pool",
        _narrowed(ratings_df, "tournament", "environment", "agent"),
        None,
    ),
    "observations": ExportedFrame(
        "what each turn's player was shown, whole",
        partial(turns_df, columns=("turn_id", *_KEYS, "observation", "new", "reading")),
        games=50,
        payload=True,
    ),
    "exchanges": ExportedFrame(
        "what each call sent, whole, and what was answered",
        partial(
            calls_df,
            columns=(
                "call_id", "turn_id", *_KEYS, "messages", "text", "thoughts", "request",
                "response", "provider", "region", "fingerprint",
            ),
        ),
        games=20,
        payload=True,
    ),
}  # fmt: skip
USUAL = tuple(name for name, frame in FRAMES.items() if not frame.payload)
"""Without the payloads, which are usually the largest by far."""


def export_frames(
    folder: str | Path,
    source: Readable = None,
    *,
    form: Format = "parquet",
    frames: Sequence[str] | None = None,
    **filters: Unpack[Filters],
) -> tuple[ExportedFile, ...]:
    """Write frames as files `NAME.FORM` of a new folder, with a README.md that says what they are:
    a dataset card, by which `datasets.load_dataset(folder, "turns")` finds them.

    `frames` are names of FRAMES, by default those of facts (`USUAL`). Everything is of one moment,
    whatever is written meanwhile, and a few games at a time are in memory. The folder appears when
    all is written.

    Raises UsageError for a folder that is not empty, a missing database, a frame or a name that
    there is not, and for Parquet where pyarrow is not installed.
    """
    names = tuple(dict.fromkeys(USUAL if frames is None else frames))
    for name in names:
        if name not in FRAMES:
            raise UsageError(unknown("frame", name, [*FRAMES]))
    if form not in FORMATS:
        raise UsageError(unknown("format", form, [*FORMATS]))
    if form == "parquet":
        arrow()
    written: list[ExportedFile] = []
    with session_on(source, frozen=True) as session, new_folder(Path(folder)) as place:
        for name in names:
            written.append(_write(session, place, name, form, filters))
        card = dataset_card(written, form, filters)
        (place / "README.md").write_text(card, encoding="utf-8", newline="\n")
    return tuple(written)


def _write(
    session: Readable, place: Path, name: str, form: Format, filters: Filters
) -> ExportedFile:
    frame = FRAMES[name]
    # The dtypes of a frame depend on no row.
    columns = columns_of(frame.reader(session, limit=0, **filters))
    path = place / f"{name}.{form}"
    rows = 0
    with table_file(path, form, columns) as file:
        for piece in _pieces(session, frame, filters):
            if len(piece):
                file.write(as_columns(piece, columns))
                rows += len(piece)
    return ExportedFile(name, path.name, rows, path.stat().st_size, columns, frame.about)


def as_columns(frame: pd.DataFrame, columns: Sequence[ExportedColumn]) -> list[Sequence[Any]]:
    """The plain values of a frame, column by column."""
    return [plain_values(frame[column.name], column.holds) for column in columns]


def _pieces(session: Readable, frame: ExportedFrame, filters: Filters) -> Iterator[pd.DataFrame]:
    if frame.games is None:
        yield frame.reader(session, **filters)
        return
    reader: FrameReader = frame.reader
    yield from in_chunks(reader, session, games=frame.games, **filters)
