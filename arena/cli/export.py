"""`arena export`: what is on record, in the files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arena.cli.options import (
    AgainstOption,
    AgentOption,
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    KindOption,
    ModelOption,
    ParentOption,
    PromptOption,
    ResultOption,
    RevisionOption,
    RoleOption,
    SinceOption,
    StatusOption,
    TagOption,
    TeamOption,
    TerminationOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import Column, console, count, print_json, print_table, safe, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.analysis.export import ExportedFile


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A new folder.", show_default=False)
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead a --tournament as a whole, in one new file (.zip), which `arena import` "
            "restores.",
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead the card of a --tournament's result, a new JSON file that "
            "`arena verify-card` checks.",
        ),
    ] = None,
    purpose: Annotated[
        Literal["sft", "kto", "dpo", "rl", "inspect", "otlp"] | None,
        typer.Option(
            "--for",
            metavar="sft|kto|dpo|rl|inspect|otlp",
            help="Instead of tables, answers as chat messages for a trainer. dpo: pairs of answers "
            "in branches of the same turn; inspect: logs of Inspect AI; otlp: OpenTelemetry's "
            "traces.",
        ),
    ] = None,
    form: Annotated[
        Literal["parquet", "jsonl", "csv"] | None,
        typer.Option(
            "--format",
            metavar="parquet|jsonl|csv",
            help="Of tables Parquet by default, which needs pyarrow (pip install "
            "'llm-arena[parquet]'), for a trainer JSON lines.",
        ),
    ] = None,
    frame: Annotated[
        list[str] | None,
        typer.Option(
            "--frame",
            metavar="NAME",
            help="Only this table, or these: tournaments, agents, games, players, turns, calls, "
            "events, rating_changes, ratings; observations and exchanges (what was sent and "
            "answered), which are large and left out otherwise.",
        ),
    ] = None,
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    agent: AgentOption = None,
    against: AgainstOption = None,
    kind: KindOption = None,
    model: ModelOption = None,
    prompt: PromptOption = None,
    role: RoleOption = None,
    team: TeamOption = None,
    result: ResultOption = None,
    status: StatusOption = None,
    termination: TerminationOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    parent: ParentOption = None,
    revision: RevisionOption = None,
    tag: TagOption = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the record to files.

    Tables, or data to train on with --for: files in a new folder, with a README.md that says what
    they hold, by which `datasets` loads them."""
    from arena.analysis.export import (
        export_frames,
        export_inspect,
        export_otlp,
        export_training,
    )
    from arena.core import UsageError

    filters: dict[str, Any] = {
        "tournament": tournament, "environment": environment, "agent": agent,
        "against": against, "kind": kind, "model": model, "prompt": prompt, "role": role,
        "team": team, "result": result, "status": status, "termination": termination,
        "since": since, "until": until, "parent": parent, "revision": revision,
        "tag": tag,
    }  # fmt: skip
    if archive is not None or card is not None:
        given = [f"--{name}" for name, value in filters.items() if value and name != "tournament"]
        given += ["DIR"] * (folder is not None) + ["--for"] * (purpose is not None)
        given += ["--frame"] * bool(frame) + ["--format"] * (form is not None)
        given += ["--card"] * (archive is not None and card is not None)
        if given:
            what = "an archive" if archive is not None else "a card"
            raise UsageError(f"{what} is of a tournament as it is: leave {given[0]} out")
        if tournament is None or len(tournament) != 1:
            raise UsageError("expected one tournament: name it with --tournament")
        if archive is not None:
            _archive(archive, tournament[0], db, as_json=as_json)
        elif card is not None:
            _card(card, tournament[0], db, as_json=as_json)
        return
    if folder is None:
        raise UsageError("expected the name of a new folder: `arena export DIR`")
    if purpose is None:
        form = form or "parquet"
        written = export_frames(folder, db or None, form=form, frames=frame, **filters)
    elif frame:
        raise UsageError(f"--frame chooses tables, and --for {purpose} writes none: leave one out")
    elif purpose == "inspect" or purpose == "otlp":
        if form is not None:
            raise UsageError(f"--for {purpose} has a format of its own: leave --format out")
        write = export_inspect if purpose == "inspect" else export_otlp
        written = write(folder, db or None, **filters)
    else:
        form = form or "jsonl"
        written = export_training(folder, db or None, purpose=purpose, form=form, **filters)
    _say(folder, written, as_json=as_json)


def _archive(file: Path, tournament: str, db: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from arena.analysis.archives import archive_tournament

    done = archive_tournament(file, db or None, tournament=tournament)
    if as_json:
        print_json({"file": str(file), **asdict(done)})
        return
    console().print(
        safe(f"{done.tournament}: {count(done.rows['games'], 'game')} in {file}"), soft_wrap=True
    )
    tell(f"to restore it elsewhere: arena import {file} --db URL")


def _card(file: Path, tournament: str, db: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from arena.analysis.export.result_cards import write_card

    done = write_card(file, db or None, tournament=tournament)
    if as_json:
        print_json({"file": str(file), **asdict(done)})
        return
    console().print(
        safe(f"{tournament}: {count(done.games, 'game')} in {file}, sha256 {done.sha256}"),
        soft_wrap=True,
    )
    tell(f"to check it: arena verify-card {file}")


def _say(folder: Path, written: Sequence[ExportedFile], *, as_json: bool) -> None:
    if as_json:
        files = [
            {"file": str(folder / file.file), "rows": file.rows, "bytes": file.size}
            for file in written
        ]
        print_json({"folder": str(folder), "files": files})
        return
    print_table(
        [Column("file"), Column("rows", "right"), Column("bytes", "right")],
        [[str(folder / file.file), f"{file.rows:,}", f"{file.size:,}"] for file in written],
    )
    if (folder / "README.md").exists():
        tell(f"{folder / 'README.md'} says what the columns hold")
