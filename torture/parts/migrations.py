"""Migrations killed at random instants, on databases with rows in them (`torture.migrations`)."""

from __future__ import annotations

from torture import migrations
from torture.databases import KINDS, LABELS
from torture.harness import Harness
from torture.rows import Row

PART = "migrations"
KILLS = 20


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    urls = [harness.databases.empty(kind, f"migrated-{kind}") for kind in KINDS]
    kills, games = (2, 20) if toy else (KILLS, 300)
    folder = harness.folder / "migrations"
    rows: list[Row] = []
    for kind, found in migrations.run(kills, harness.seed, folder, urls, games=games).items():
        name = LABELS[kind]
        rows += [
            Row(
                PART,
                f"{name}: migrations killed",
                found.kills,
                promised=kills,
                note=f"{found.rows:,} rows; {found.ups} up ({found.seconds_up:.2f} s alone), "
                f"{found.kills - found.ups} down ({found.seconds_down:.2f} s); "
                f"{found.cut_short} cut short, {found.left_old} left old, "
                f"{found.left_new} new",
            ),
            Row(PART, f"{name}: left half done", found.half, promised=0),
            Row(PART, f"{name}: kills after which a row was another", found.rows_changed,
                promised=0),
            Row(
                PART,
                f"{name}: not completed by typing the same again",
                found.not_completed,
                promised=0,
                note="; ".join(found.problems),
            ),
        ]  # fmt: skip
    return rows
