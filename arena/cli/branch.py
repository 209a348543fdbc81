"""`arena branch`: the same game up to a turn, then with another agent in a player's place."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.clusters import check_alone
from arena.cli.options import (
    AsJson,
    ConcurrencyOption,
    DatabaseUrl,
    ExecutorOption,
    GameNumber,
    RayAddressOption,
)
from arena.cli.sessions import existing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arena.cli.signals import Interrupts
    from arena.replay.branch import BranchReport
    from db import Database


def branch(
    game: GameNumber,
    turn: Annotated[
        int,
        typer.Option(min=0, metavar="K", help="The first turn that is played live, from 0."),
    ],
    put: Annotated[
        list[str],
        typer.Option("--set", metavar="PLAYER=AGENT", help="Who sits there from then on."),
    ],
    times: Annotated[int, typer.Option(min=1, metavar="N", help="So many branches.")] = 1,
    control: Annotated[
        bool,
        typer.Option(
            "--control/--no-control",
            help="Also as many branches with the agents that played, to compare with.",
        ),
    ] = True,
    concurrency: ConcurrencyOption = None,
    executor: ExecutorOption = None,
    ray_address: RayAddressOption = None,
    cache: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="Give answers on record to equal requests, at most so old; see docs/running.md.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            min=0.0,
            metavar="USD",
            help="Most dollars for all of them, out of what the tournament's budget has left.",
        ),
    ] = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Play a game on with another agent.

    Up to turn K everything comes from the record, no model called; from there on calls are
    made and paid for. Branches are games of their own, which know where they come from and never
    move a rating. What was stopped, paused or killed resumes when the same command is typed again.
    Exit code 1 when branches are void or something stopped them early, 130 when interrupted."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from arena.cli.branch_report import show_branches
    from arena.cli.output import advise, count, print_json
    from arena.cli.signals import stoppable
    from arena.forecast.branches import review_branches
    from arena.forecast.review import plain_review
    from db.urls import typed

    check_alone(ray_address, executor)
    began = datetime.now(UTC)
    seats = parse_seats(put)
    where = typed(db)
    again = shlex.join(
        _command(game, turn, put, times, control, concurrency, executor, ray_address, cache, where)
    )
    typed_budget = "" if budget is None else f" --budget {budget:g}"
    with (
        existing(db) as database,
        stoppable(f"to go on: {again}{typed_budget}") as interrupts,
    ):
        report = _play(
            interrupts,
            database,
            game,
            turn,
            seats,
            times,
            control,
            concurrency,
            executor,
            ray_address,
            cache,
            budget,
        )
        review = review_branches(game, turn, report.finished, before=began, url=database)
        if as_json:
            estimate = None if review is None else plain_review(review)
            print_json({**asdict(report), "estimate": estimate})
        else:
            show_branches(report, seats, where, review)
        # One that ended nevertheless has nothing missing.
        if interrupts.received and report.left:
            raise KeyboardInterrupt
        if report.left:
            advise(f"{count(report.left, 'game')} left; to go on: {again}{typed_budget}")
    if report.void or report.error:
        raise typer.Exit(1)


def _command(
    game: int,
    turn: int,
    put: Sequence[str],
    times: int,
    control: bool,
    concurrency: int | None,
    executor: str | None,
    ray_address: str | None,
    cache: float | None,
    where: str | None,
) -> list[str]:
    """The same command, but for its budget."""
    command = ["arena", "branch", str(game), "--turn", str(turn), "--times", str(times)]
    command += [word for pair in put for word in ("--set", pair)]
    command += [] if control else ["--no-control"]
    for name, value in (
        ("--concurrency", concurrency),
        ("--executor", executor),
        ("--ray-address", ray_address),
        ("--cache", cache),
        ("--db", where),
    ):
        command += [] if value is None else [name, f"{value}"]
    return command


def parse_seats(pairs: Sequence[str]) -> dict[int, str]:
    """`["2=Sharp"]` as a mapping. Raises UsageError for anything else, and for a player twice."""
    from arena.core import UsageError

    seats: dict[int, str] = {}
    for pair in pairs:
        player, equals, agent = (part.strip() for part in pair.partition("="))
        if not equals or not agent or not (player.isascii() and player.isdigit()):
            raise UsageError(f"--set expects PLAYER=AGENT, such as 2=Sharp; found {pair!r}")
        if int(player) in seats:
            raise UsageError(f"--set {player}=... is given twice")
        seats[int(player)] = agent
    return seats


def _play(
    interrupts: Interrupts,
    database: Database,
    game: int,
    turn: int,
    seats: Mapping[int, str],
    times: int,
    control: bool,
    concurrency: int | None,
    executor: str | None,
    ray_address: str | None,
    cache: float | None,
    budget: float | None,
) -> BranchReport:
    import time

    from arena.cli.branch_report import BranchView
    from arena.cli.process import playing
    from arena.orchestrator import Stop
    from arena.replay.branch import branch as play_branches

    stop = Stop()
    with BranchView(time.monotonic) as view:
        return interrupts.run(
            play_branches(
                game,
                turn,
                seats,
                times=times,
                control=control,
                url=database,
                concurrency=concurrency,
                executor=executor if ray_address is None else "ray",
                executor_options={} if ray_address is None else {"address": ray_address},
                cache=cache,
                budget=budget,
                uncapped=False,
                on_progress=playing(view.update),
                stop=stop,
            ),
            stop,
            say=view.say,
        )
