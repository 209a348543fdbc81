"""`arena leaderboard`: agents by rating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arena.cli.options import (
    LIMIT,
    AsJson,
    CovariateOption,
    DatabaseUrl,
    ErrorsAsOption,
    ExcludeErrors,
    LimitOption,
)
from arena.cli.selecting import selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.selection import Selection

    pass


System = Annotated[
    str,
    typer.Option(metavar="S", help="The rating system, by its registered name."),
]


@selecting(
    "environment", "tournament", "role", "team", "termination", "since", "until", "revision", "tag"
)
def leaderboard(
    system: System = "probit",
    *,
    selection: Selection,
    exclude_errors: ExcludeErrors = None,
    errors_as: ErrorsAsOption = "loss",
    by: Annotated[
        Literal["agent", "model", "prompt", "kind"],
        typer.Option(
            metavar="PART",
            help="agent; or model, prompt or kind: what that part adds, in one fit of all.",
        ),
    ] = "agent",
    overall: Annotated[
        bool,
        typer.Option("--overall", help="One fit over all environments, not one for each."),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="W",
            help="With --overall: what each environment counts for: equal, games (as many as it "
            "has), or ENV=W,ENV=W.",
            show_default="equal",
        ),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="AGENT",
            help="The agent that stands at 25, instead of the mean of those that met.",
        ),
    ] = None,
    covariate: CovariateOption = None,
    unplayed: Annotated[
        bool,
        typer.Option(
            "--unplayed",
            help="With --by: ratings predicted for combinations that have not played.",
        ),
    ] = False,
    rates: Annotated[
        bool,
        typer.Option(
            "--errors",
            help="How often agents err: shares of their turns, and of the games decided by it.",
        ),
    ] = False,
    nash: Annotated[
        bool,
        typer.Option(
            "--nash",
            help="Also what agents win by against the mix of opponents that nothing beats.",
        ),
    ] = False,
    calibration: Annotated[
        bool,
        typer.Option(
            "--calibration",
            help="How well every system predicted the games before they were played.",
        ),
    ] = False,
    stored: Annotated[
        bool,
        typer.Option(
            "--stored",
            help="Read the board that was computed last, however many games ended since.",
        ),
    ] = False,
    wide: Annotated[
        bool,
        typer.Option("--wide", help="All the columns that there is room for; in a pipe there is."),
    ] = False,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Rank agents by rating, by any rating system.

    Each environment has ratings of its own: 25 is the average of the agents that met there, and
    the 95 % interval is that of the difference to it; --role or --team asks for the skill in it
    alone. Errors are invalid actions, silence, refusals, overlong answers and turns over the time
    limit: they count as what they led to, and the rating without the games they decided stands
    beside it. A board is kept, and computed again when a game has ended since."""
    from arena.cli.leaderboard_table import print_answer, print_as_of
    from arena.core import UsageError
    from arena.leaderboard import LeaderboardQuery
    from arena.leaderboard.manual import kept_by_hand
    from arena.leaderboard.stored import answered, keep
    from arena.leaderboard.weights import read_weights
    from arena.registry import registered

    if stored and (unplayed or calibration):
        other = "--unplayed" if unplayed else "--calibration"
        raise UsageError(f"--stored is of boards, which {other} does not show: give one of the two")
    if unplayed and by == "agent":
        raise UsageError(
            "--unplayed is about combinations of parts: add --by model, prompt or kind"
        )
    # A wrong name is told before any game is read.
    system = registered("ratings", system)
    query = LeaderboardQuery(
        selection,
        system=system,
        exclude_errors=exclude_errors,
        errors_as=errors_as,
        overall=overall,
        by=by,
        anchor=anchor,
        nash=nash,
        weights=None if weights is None else read_weights(weights),
        covariate=covariate,
    )
    if calibration:
        from arena.cli.leaderboard_calibration import print_calibrations
        from arena.leaderboard.calibration import calibrations

        with reading(db) as session:
            calibrated = calibrations(session, query)
        print_calibrations(calibrated, system, as_json=as_json)
        return
    if unplayed:
        from arena.cli.leaderboard_predictions import print_predictions
        from arena.leaderboard.parts import predictions

        with reading(db) as session:
            predicted = predictions(session, query)
        print_predictions(predicted, as_json=as_json, limit=limit)
        return
    with reading(db) as session:
        answer = answered(session, query, stored=stored)
        by_hand = kept_by_hand(session, query)
    print_answer(answer, by_hand, as_json=as_json, rates=rates, wide=wide, limit=limit)
    if stored:
        print_as_of(answer)
    keep(db, answer)
