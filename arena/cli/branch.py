"""`arena branch`: the same game up to a turn, then with another agent in a player's place."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli import INTERRUPTED
from arena.cli.database import reading, require
from arena.cli.options import AsJson, Concurrency, Database, GameNumber

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arena.branch import BranchReport
    from arena.cli.signals import Interrupts


def branch(
    game: GameNumber,
    turn: Annotated[
        int,
        typer.Option(min=0, metavar="K", help="The first turn that is played anew, from 0."),
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
    concurrency: Concurrency = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Play a game on with another agent.

    Up to turn K everything comes from the record, no model called; from there on calls are
    made and paid for. Branches are games of their own, which know where they come from and never
    move a rating. Exit code 1 when branches are void, 130 when interrupted."""
    from dataclasses import asdict

    from arena.cli.branched import show_branches
    from arena.cli.output import advise, print_json
    from arena.cli.signals import stoppable

    url = require(db)
    seats = parse_seats(put)
    _check(db, game, turn, seats)
    again = shlex.join(
        ["arena", "branch", str(game), "--turn", str(turn)]
        + [word for pair in put for word in ("--set", pair)]
        + ["--times", str(times)]
        + ([] if control else ["--no-control"])
        + ([] if db is None else ["--db", db])
    )
    with stoppable(again) as interrupts:
        report = _play(interrupts, url, game, turn, seats, times, control, concurrency)
        if as_json:
            print_json(asdict(report))
        else:
            show_branches(report, seats, db)
        if interrupts.received:
            advise(f"interrupted; to play all of them: {again}")
            raise typer.Exit(INTERRUPTED)
    if report.void:
        raise typer.Exit(1)


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


def _check(db: str | None, number: int, turn: int, seats: Mapping[int, str]) -> None:
    """Raises UsageError for a game, a turn, a player or an agent that is not there."""
    from arena.cli.catalogue import find
    from arena.core import UsageError
    from db import Repository
    from db.queries.games import game

    with reading(db) as session:
        row = game(session, number)
        if row is None:
            raise UsageError(f"there is no game {number}; `arena games` lists them")
        if row.status != "completed":
            raise UsageError(
                f"game {number} is {row.status}: only a completed game can be branched"
            )
        if row.turn_count is not None and turn >= row.turn_count:
            raise UsageError(
                f"game {number} has turns 0 to {row.turn_count - 1}, found --turn {turn}"
            )
        for player in seats:
            if player >= len(row.players):
                raise UsageError(
                    f"game {number} has players 0 to {len(row.players) - 1}, "
                    f"found --set {player}={seats[player]}"
                )
        agents = Repository(session).get_agents()
        known = {agent.label for agent in agents}
        for name in seats.values():
            find("agent", name, lambda name: name in known or None, known)


def _play(
    interrupts: Interrupts,
    url: str,
    game: int,
    turn: int,
    seats: Mapping[int, str],
    times: int,
    control: bool,
    concurrency: int | None,
) -> BranchReport:
    import warnings

    from arena.branch import branch as play_branches
    from arena.orchestrator import Stop

    # Ctrl-C can come between the moment LiteLLM makes a coroutine and the one it awaits it.
    warnings.filterwarnings("ignore", r"coroutine '.*' was never awaited", RuntimeWarning)

    stop = Stop()
    return interrupts.run(
        play_branches(
            game,
            turn,
            seats,
            times=times,
            control=control,
            url=url,
            concurrency=concurrency,
            stop=stop,
        ),
        stop,
    )
