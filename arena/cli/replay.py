"""`arena replay`: plays the record of a game again, without calling a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    AgainstOption,
    AgentOption,
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    SinceOption,
    TagOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import complain, console, count, print_json, safe
from arena.cli.sessions import existing

if TYPE_CHECKING:
    from arena.replay.check import ReplayReport
    from db.selection import Selection


def replay(
    game: Annotated[
        int | None,
        typer.Argument(metavar="GAME", help="The game's number, as `arena games` shows it."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Verify every observation; the only way to replay.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Check every finished game.")] = False,
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    agent: AgentOption = None,
    against: AgainstOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Play recorded games again, no model called.

    Verifies that the same seed and actions show every player what it saw. Which games --all means
    can be narrowed. Exit code 1 when something differs."""
    from dataclasses import asdict

    from arena.core import UsageError
    from db.selection import Selection

    if (game is None) != everything:
        raise UsageError("say which game to check, `arena replay 1 --check`, or --all of them")
    asked: dict[str, Any] = {
        "tournament": tournament, "environment": environment, "agent": agent,
        "against": against, "since": since, "until": until, "tag": tag,
    }  # fmt: skip
    for option, value in asked.items():
        if value and not everything:
            raise UsageError(f"--{option} goes with --all: `arena replay --all --{option} ...`")
    if game is not None:
        if not check:
            raise UsageError(f"say what to do with the replay: `arena replay {game} --check`")
        _check_one(game, db, as_json)
        return
    reports = []
    for report in _check_all(Selection(status="completed", **asked), db):
        reports.append(report)
        if not report.ok and not as_json:
            _difference(report)
    wrong = [report for report in reports if not report.ok]
    if as_json:
        print_json({"games": [asdict(report) for report in reports]})
    else:
        turns = count(sum(report.turns for report in reports), "turn")
        same = "every observation is the same" if not wrong else f"{len(wrong):,} differ"
        console().print(f"{count(len(reports), 'game')}, {turns} replayed: {same}")
    if wrong:
        complain(f"{count(len(wrong), 'game')} of {len(reports):,} do not replay")
        raise typer.Exit(1)


def _check_one(game: int, db: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from arena.replay.check import check

    with existing(db) as database:
        report = check(game, database)
    if as_json:
        print_json(asdict(report))
    elif report.ok:
        turns = count(report.turns, "turn")
        console().print(f"game {game}: {turns} replayed, every observation is the same")
    else:
        _difference(report)
    if not report.ok:
        complain(f"game {game} does not replay: its record and its rules disagree")
        raise typer.Exit(1)


def _check_all(selection: Selection, db: str | None) -> Iterator[ReplayReport]:
    """The reports of all finished games, the oldest first. A game that cannot be played again at
    all (its rules or its kinds are not installed) is one that does not replay."""
    from arena.core import UsageError
    from arena.replay.check import ReplayReport, check
    from db.queries.games import games

    with existing(db) as database:
        with database.session() as session:
            numbers = sorted(row.game_id for row in games(session, selection))
        for number in numbers:
            try:
                yield check(number, database)
            except UsageError as error:
                yield ReplayReport(number, 0, False, str(error))


def _difference(report: ReplayReport) -> None:
    turns = count(report.turns, "turn")
    console().print(f"game {report.game_id}: the replay differs after {turns}")
    console().print(safe(report.first_difference or "", keep="\n"))
