"""`arena verify-card`: is a result what its card says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import advise, complain, console, count, print_json, safe


def verify_card(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A card of `arena export --card`.")],
    alone: Annotated[
        bool,
        typer.Option("--alone", help="Without a database: do the card's parts fit each other?"),
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check the card of a result.

    Its hashes, and whether its ratings follow from its games; then every game on record, to the
    last word, against the card. Exit code 1 when something differs."""
    from dataclasses import asdict

    from arena.analysis.export.result_cards import check_card

    found = check_card(file, db or None, alone=alone)
    if as_json:
        print_json({**asdict(found), "alone": alone})
    else:
        for line in found.problems:
            console().print(safe(line), soft_wrap=True)
        what = f"{found.tournament}: {count(found.games, 'game')}"
        if found.problems:
            said = f"not all is as the card says ({len(found.problems)})"
        else:
            said = "the card fits itself" if alone else "the record is the one of the card"
        console().print(safe(f"{what}; {said}"), soft_wrap=True)
    for line in found.unchecked:
        advise(f"not checked: {line}")
    if found.problems:
        complain(f"{count(len(found.problems), 'difference')} from the card")
        raise typer.Exit(1)
