"""`arena search --like`: what was said like what was said in a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from arena.cli.output import advise, complain, console, count, print_json, tell
from arena.cli.sessions import existing
from arena.cli.side_spending import SideSpending

if TYPE_CHECKING:
    from arena.aside.similar import SimilarHits
    from arena.aside.vectors import EmbeddingPrice
    from db.selection import Selection


def search_like(
    db: str | None,
    place: tuple[int, int],
    selection: Selection,
    *,
    kind: Sequence[str],
    phase: Sequence[str],
    limit: int,
    embedding: str | None,
    budget: float | None,
    dry_run: bool,
    fill: bool,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Bring the vectors up to date, and show the actions that are nearest to that of a turn."""
    from arena.aside.similar import similar
    from arena.aside.vectors import (
        count_without_vector,
        embedding_model,
        fill_vectors,
        price_of_filling,
        space_of,
    )
    from arena.cli.search_lines import filling_progress
    from arena.core import Pause
    from arena.reports.search import spoken

    stopped: str | None = None
    with existing(db) as database:
        with database.session() as session:
            selection.on(session)
        model = embedding_model(database, embedding, anew=rebuild and not dry_run)
        if dry_run:
            _price(price_of_filling(database, model), as_json=as_json)
            return
        spending = SideSpending(database)
        if fill:
            told = filling_progress("asking for vectors", "actions", 2_000)
            try:
                asyncio.run(fill_vectors(database, model, budget=budget, told=told))
            except Pause as pause:
                stopped = str(pause)
        with database.session() as session:
            found = similar(
                session,
                space_of(model),
                place,
                selection,
                spoken,
                kind=kind,
                phase=phase,
                limit=limit,
            )
        behind = count_without_vector(database, model)
        spending.say()
    _show(found, model.name, as_json=as_json)
    tell(f"compared by {model.name} with {count(found.compared, 'action')} that have a vector")
    if found.without_events:
        advise(
            f"{count(found.without_events, 'game')} left out without events on record: "
            "`arena events rebuild` tells them"
        )
    if behind:
        advise(f"{count(behind, 'action')} without a vector were not compared")
    if stopped is not None:
        complain(stopped)
        raise typer.Exit(1)


def _show(found: SimilarHits, model: str, *, as_json: bool) -> None:
    from arena.cli.search_lines import plain_hit, print_hits

    if as_json:
        hits = [{"similarity": each.similarity, **plain_hit(each.hit)} for each in found.hits]
        print_json({"model": model, "compared": found.compared, "hits": hits})
        return
    print_hits([each.hit for each in found.hits], [f"{each.similarity:.3f}" for each in found.hits])
    if not found.hits:
        advise("nothing was found")


def _price(found: EmbeddingPrice, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json(asdict(found))
        return
    told = f"{count(found.actions, 'action')} without a vector, {count(found.texts, 'text')} to "
    told += f"send, about {count(found.tokens, 'token')}"
    if found.dollars is not None:
        told += f", about ${found.dollars:.4g}"
    console().print(told, soft_wrap=True)
    if found.dollars is None:
        advise("the price of the model is not known: give it prices with `arena models add`")
