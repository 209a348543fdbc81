"""What is played and by whom, as pandas frames: agents with their parts, and tournaments.

Source, columns and dtypes are those of `arena.analysis.frames`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import Select

from arena.analysis.columns import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    OBJECT,
    STRING,
    TIME,
    FrameColumn,
)
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Reading, agent_columns, table
from db.selection import Names


def agents_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    agent: Names = None,
    kind: Names = None,
    model: Names = None,
    prompt: Names = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per agent, by agent_id.

    agent_id, agent, kind, model, prompt · kind_version · litellm_model_name, params, api_base,
    stream, input_price, output_price (dollars a million tokens), provider, system (of the model) ·
    content, forked_from (the prompt's text, and the name of the one that it was forked from) ·
    options (of the agent, a dict) · active · created_at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(
        source,
        _agents,
        columns=columns,
        limit=limit,
        agent=agent,
        kind=kind,
        model=model,
        prompt=prompt,
    )


def _agents(read: Reading) -> FrameQuery:
    agents, kinds, models = table("agents"), table("kinds"), table("models")
    prompts = table("prompts")
    columns = [
        *agent_columns(read.catalogue, agents.c.id),
        FrameColumn("kind_version", INTEGER, kinds.c.version),
        FrameColumn("litellm_model_name", STRING, models.c.litellm_model_name),
        FrameColumn("params", OBJECT, models.c.params),
        FrameColumn("api_base", STRING, models.c.api_base),
        FrameColumn("stream", BOOLEAN, models.c.stream),
        FrameColumn("input_price", FLOAT, models.c.input_price),
        FrameColumn("output_price", FLOAT, models.c.output_price),
        FrameColumn("provider", STRING, models.c.provider),
        FrameColumn("system", STRING, models.c.system),
        FrameColumn("content", STRING, prompts.c.content),
        FrameColumn("forked_from", STRING, prompts.c.forked_from, names=read.catalogue.texts),
        FrameColumn("options", OBJECT, agents.c.options),
        FrameColumn("active", BOOLEAN, agents.c.active),
        FrameColumn("created_at", TIME, agents.c.created_at),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(agents)
            .join(kinds, kinds.c.id == agents.c.kind_id)
            .join(models, models.c.id == agents.c.model_id)
            .join(prompts, prompts.c.id == agents.c.prompt_id)
            .where(*read.chosen.of_agents(agents.c.id))
            .order_by(agents.c.id)
        )

    return FrameQuery(columns, rows)


def tournaments_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    tournament: Names = None,
    environment: Names = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per tournament, by tournament_id.

    tournament_id, tournament · environment, num_players · status · games (that are to be played),
    seed · config, settings (dicts: what defines it, and what may change) · counters_version
    (of its counters, NA where they wait to be counted) · created_at, started_at,
    finished_at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(
        source,
        _tournaments,
        columns=columns,
        limit=limit,
        tournament=tournament,
        environment=environment,
    )


def _tournaments(read: Reading) -> FrameQuery:
    tournaments = table("tournaments")
    names = read.catalogue
    rules = tournaments.c.environment_id
    columns = [
        FrameColumn("tournament_id", INTEGER, tournaments.c.id),
        FrameColumn("tournament", STRING, tournaments.c.name),
        FrameColumn("environment", STRING, rules, names=names.environments),
        FrameColumn("num_players", INTEGER, rules, names=names.players),
        FrameColumn("status", STRING, tournaments.c.status),
        FrameColumn("games", INTEGER, tournaments.c.games),
        FrameColumn("seed", INTEGER, tournaments.c.seed),
        FrameColumn("config", OBJECT, tournaments.c.config),
        FrameColumn("settings", OBJECT, tournaments.c.settings),
        FrameColumn("counters_version", INTEGER, tournaments.c.counters_version),
        FrameColumn("created_at", TIME, tournaments.c.created_at),
        FrameColumn("started_at", TIME, tournaments.c.started_at),
        FrameColumn("finished_at", TIME, tournaments.c.finished_at),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        chosen = read.chosen.named
        found = statement.select_from(tournaments).order_by(tournaments.c.id)
        if "tournament" in chosen:
            found = found.where(tournaments.c.id.in_([*chosen["tournament"]]))
        if "environment" in chosen:
            found = found.where(rules.in_([*chosen["environment"]]))
        return found

    return FrameQuery(columns, rows)
