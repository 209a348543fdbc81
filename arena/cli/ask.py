"""`arena ask`: one question to a model, outside any game."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    LIMIT,
    AsJson,
    DatabaseUrl,
    LimitOption,
    SetOption,
    dollars,
    key_values,
)
from arena.cli.output import (
    Column,
    duration,
    moment,
    money,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from arena.aside.asking import AskedCall


def ask(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="A model of the file, of the catalogue, or LiteLLM's name: openai/gpt-4o-mini, "
            "scripted/random.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT", help="What to say to it; - reads standard input.", show_default=False
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG", help="A tournament's file, for its models, limits and patience."
        ),
    ] = None,
    settings: SetOption = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Sent with the call.")
    ] = None,
    api_base: Annotated[str | None, typer.Option(help="URL of the endpoint.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="The environment variable that holds the key.")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="USD", callback=dollars, help="Most dollars that it may cost."),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List what was asked; ask nothing.")
    ] = False,
    limit: LimitOption = LIMIT,
    as_json: AsJson = False,
    db: DatabaseUrl = None,
) -> None:
    """Ask a model one thing.

    The way to try a key, an address or a name before a tournament: one call outside any game, with
    the keys, limits, retries and errors of a run, and on record in the database. The answer goes
    to stdout; tokens, price and time to stderr.

    Exit code 1 when there is no answer."""
    from arena.core import UsageError

    if listed:
        if model is not None or prompt is not None:
            raise UsageError("--list asks nothing: leave out MODEL and PROMPT")
        _list(limit, db, as_json=as_json)
        return
    if model is None or prompt is None:
        raise UsageError(
            'expected a model and what to say to it, as in arena ask openai/gpt-4o-mini "Say hello"'
        )
    if settings and config is None:
        raise UsageError("--set is for a tournament's file: name it with --config")
    own = {
        name: value
        for name, value in (
            ("params", key_values(param or [], "--param")),
            ("api_base", api_base),
            ("api_key_env", api_key_env),
        )
        if value
    }
    _ask(model, _said(prompt), config, settings, own, budget, db, as_json=as_json)


def _said(prompt: str) -> str:
    from arena.core import UsageError

    if prompt == "-":
        try:
            prompt = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError("standard input is not UTF-8 text") from None
    if not prompt.strip():
        raise UsageError("the prompt is empty: say something to the model")
    return prompt


def _ask(
    model: str,
    prompt: str,
    config: Path | None,
    settings: list[str] | None,
    own: dict[str, Any],
    budget: float | None,
    db: str | None,
    *,
    as_json: bool,
) -> None:
    from arena.cli.tournament_files import read

    tournament = None if config is None else read(config, settings=settings, db=db)
    from arena.aside import asking
    from arena.core import ArenaError, UsageError
    from db import Database

    with Database(db or None) as database:
        spec = asking.model_called(database, model, config=tournament, settings=own)
        call = asking.ask(database, spec, prompt, config=tournament, budget=budget)
        try:
            found = _run(call)
        except ArenaError as error:
            if not isinstance(error, UsageError):
                tell("every attempt is on record: arena ask --list")
            raise
    if as_json:
        print_json(asdict(found))
        return
    print_line(safe(found.text or "", keep="\n"))
    tell(_summary(found))


def _run(call: Coroutine[Any, Any, AskedCall]) -> AskedCall:
    import asyncio

    return asyncio.run(call)


def _summary(found: AskedCall) -> str:
    by = found.model_answered
    parts = [
        found.model if by in (None, found.model) else f"{found.model}, answered by {by}",
        f"{_number(found.prompt_tokens)} tokens sent, {_number(found.response_tokens)} answered",
        money(found.cost),
        "" if found.seconds is None else duration(found.seconds),
        f"attempt {found.attempt + 1}" if found.attempt else "",
        "" if found.finish_reason in (None, "stop") else f"ended by {found.finish_reason!r}",
        f"call {found.call} on record",
    ]
    return ", ".join(part for part in parts if part)


def _list(limit: int, db: str | None, *, as_json: bool) -> None:
    from arena.aside.asking import asked_before
    from arena.cli.sessions import existing
    from arena.core.text import one_line

    with existing(db) as database:
        found = asked_before(database, limit)
    if as_json:
        print_json({"calls": [asdict(call) for call in found]})
        return
    print_table(
        [
            Column("#", "right", style="dim"),
            Column("asked"),
            Column("model", shrink=True),
            Column("prompt", shrink=True),
            Column("answer", shrink=True),
            Column("tokens", "right"),
            Column("cost", "right"),
        ],
        [
            [
                str(call.call),
                "in flight" if call.asked_at is None else moment(call.asked_at),
                call.model,
                one_line(call.prompt, 40),
                one_line(call.error or call.text or "", 60),
                _number((call.prompt_tokens or 0) + (call.response_tokens or 0)),
                money(call.cost),
            ]
            for call in found
        ],
    )


def _number(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"
