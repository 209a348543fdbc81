"""One question to a model, outside any game: the way to try a key, an address or a name.

It takes the path of a game's calls (keys, limits, retries, budget) and is on record beside them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.config import TournamentConfig, parse_model
from arena.core import ModelSpec, UsageError
from arena.core.messages import text_of
from arena.llm.clearance import LocalClearance
from arena.llm.costs.budget import Budget
from arena.llm.recorded import completion_of
from arena.orchestrator.clients import client_for, limits_for
from arena.orchestrator.side_calls import SideLog
from arena.orchestrator.specs import model_spec
from db import Database, Repository
from db.errors import MissingDatabase
from db.models import SideCall
from db.repository.aside import messages_of, response_of

PURPOSE = "ask"


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A question on record and how it was answered. `model` is the name that the provider was
    asked for, `seconds` how long the last attempt took, `cost` in dollars; None where nobody said.
    `text` is None where there is no answer; `error` says why."""

    call: int
    model: str
    prompt: str
    asked_at: datetime | None
    text: str | None
    thoughts: str | None
    finish_reason: str | None
    model_answered: str | None
    prompt_tokens: int | None
    response_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    charged: float | None
    seconds: float | None
    attempt: int
    error: str | None


def model_called(
    database: Database,
    name: str,
    *,
    config: TournamentConfig | None = None,
    settings: Mapping[str, Any] | None = None,
) -> ModelSpec:
    """The model that a person means: one of the file's, one of the catalogue, a scripted one, or
    one by LiteLLM's name for it, in this order. `settings` are those of a model that is defined
    here (`params`, `api_base`, `api_key_env`).

    Raises UsageError for a name that is none of these, and for settings of a model that has its
    own.
    """
    known: dict[str, ModelSpec] = {}
    try:
        with database.session(create=False) as session:
            known = {row.name: model_spec(row) for row in Repository(session).get_models()}
    except MissingDatabase:
        pass
    if config is not None:
        known |= {model.name: model.spec() for model in config.models}
    if name in known:
        if settings:
            raise UsageError(
                f"the model {name!r} is defined already, with its own {', '.join(settings)}: "
                "leave the options out, or ask it by LiteLLM's name"
            )
        return known[name]
    spec = parse_model({"name": name[:100], "litellm_model": name, **(settings or {})}).spec()
    try:
        client_for(config).check(spec)
    except UsageError as error:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean the model {near[0]!r}, which is on record?" if near else ""
        raise UsageError(f"{error}{hint}") from error
    return spec


async def ask(
    database: Database,
    model: ModelSpec,
    prompt: str,
    *,
    config: TournamentConfig | None = None,
    budget: float | None = None,
) -> AskedCall:
    """Ask a model one thing. `config` says how fast and how patiently, `budget` how many dollars it
    may cost at most: without one, no more than a budget of the file.

    Raises UsageError where it cannot be asked at all, and what the client raises where there is no
    answer; every attempt is on record all the same.
    """
    client = client_for(config)
    client.check(model)
    client.check_keys(model)
    if budget is None and config is not None:
        budget = _cap(config, model.name)
    if budget is not None:
        client.check_priced(model)
    database.check()
    limits = limits_for(config, client.lag)
    log = SideLog(database, None, None, PURPOSE)
    try:
        with (
            limits.lag.watched(),
            LocalClearance(limits, None if budget is None else Budget(budget)) as clearance,
        ):
            await client.complete(
                model, [{"role": "user", "content": prompt}], log=log, clearance=clearance
            )
    finally:
        await client.aclose()
    with database.session(create=False) as session:
        row = session.get(SideCall, log.last)
        assert row is not None
        return _asked(row)


def _cap(config: TournamentConfig, model: str) -> float | None:
    """The lower of the budgets of a model and of its tournament."""
    caps = [config.budget, *(known.budget for known in config.models if known.name == model)]
    return min((cap for cap in caps if cap is not None), default=None)


def asked_before(database: Database, limit: int) -> Sequence[AskedCall]:
    """The newest questions on record, newest first; every attempt is one."""
    with database.session(create=False) as session:
        return [_asked(row) for row in Repository(session).get_side_calls(PURPOSE, limit)]


def _asked(row: SideCall) -> AskedCall:
    said = response_of(row)
    thoughts = None
    if said is not None:
        usage: Any = None
        thoughts = completion_of(said[0] or "", row.finish_reason, usage, said[1]).thoughts
    milliseconds = row.total_response_time_ms
    return AskedCall(
        call=row.id or 0,
        model=row.model,
        prompt="\n".join(text_of(message) for message in messages_of(row)),
        asked_at=row.request_sent_at,
        text=None if said is None else said[0],
        thoughts=thoughts,
        finish_reason=row.finish_reason,
        model_answered=row.model_answered,
        prompt_tokens=row.prompt_tokens,
        response_tokens=row.response_tokens,
        cached_tokens=row.cached_tokens,
        reasoning_tokens=row.reasoning_tokens,
        cost=row.cost,
        charged=row.charged,
        seconds=None if milliseconds is None else milliseconds / 1e3,
        attempt=row.attempt,
        error=row.error_message if row.error_class else None,
    )
