"""`arena probe`: asks the seats of a game on record what they believe of every player."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import AsJson, DatabaseUrl, dollars
from arena.cli.output import Column, print_json, print_table, tell

if TYPE_CHECKING:
    from arena.aside.probing import ProbedSeat, ProbeReport


def probe(
    game: Annotated[int, typer.Argument(metavar="GAME", help="Its number.", show_default=False)],
    turn: Annotated[
        int | None,
        typer.Option(metavar="K", help="Ask before this turn is acted in; the last by default."),
    ] = None,
    player: Annotated[
        int | None, typer.Option(metavar="N", help="Ask this player only, from 0.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model of the catalogue to ask in the place of each seat's own."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="USD", callback=dollars, help="Most dollars that it may cost."),
    ] = None,
    as_json: AsJson = False,
    db: DatabaseUrl = None,
) -> None:
    """Ask seats what they believe of each other.

    Each is asked how likely every other player has each role, by its own model, behind what it had
    seen by then. The game stays as it is; the calls are on record beside it, and the same question
    is sent once.

    Exit code 1 when an answer is missing or cannot be read."""
    import asyncio

    from arena.aside import probing
    from arena.cli.sessions import existing

    with existing(db) as database:
        found = asyncio.run(
            probing.probe(database, game, turn=turn, player=player, model=model, budget=budget)
        )
    if as_json:
        print_json(_plain(found))
    else:
        _print(found)
    if not all(seat.beliefs for seat in found.seats):
        raise typer.Exit(1)


def _plain(found: ProbeReport) -> dict[str, Any]:
    seats = [
        {**asdict(seat), "identified": seat.identified, "brier": seat.brier} for seat in found.seats
    ]
    left_out = [{"player": player, "why": why} for player, why in found.left_out]
    return {"game": found.game, "turn": found.turn, "seats": seats, "left_out": left_out}


def _print(found: ProbeReport) -> None:
    rows = [row for seat in found.seats for row in _rows(seat)]
    print_table(
        [
            Column("player", "right"),
            Column("agent", shrink=True),
            Column("role"),
            Column("of", "right"),
            Column("who is"),
            Column("believes", shrink=True),
            Column("true role", "right"),
            Column("Brier", "right"),
        ],
        rows,
    )
    tell(f"game {found.game}, before turn {found.turn}")
    for seat in found.seats:
        if seat.error is not None:
            tell(f"player {seat.player}: {seat.error}")
        elif not seat.beliefs:
            tell(f"player {seat.player}: its answer could not be read")
        elif seat.identified is not None and seat.brier is not None:
            tell(
                f"player {seat.player} has {seat.identified:.0%} of the roles right, "
                f"Brier score {seat.brier:.2f}"
            )
    for player, why in found.left_out:
        tell(f"player {player} was not asked: {why}")


def _rows(seat: ProbedSeat) -> list[list[str]]:
    return [
        [
            str(seat.player),
            seat.agent,
            seat.role or "",
            str(each.target),
            each.role or "",
            ", ".join(
                f"{role} {chance:.2f}"
                for role, chance in sorted(each.chances.items(), key=lambda pair: -pair[1])
                if chance >= 0.005
            ),
            "" if each.score is None else f"{each.score.true:.2f}",
            "" if each.score is None else f"{each.score.brier:.2f}",
        ]
        for each in seat.beliefs
    ]
