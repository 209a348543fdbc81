"""What an estimate was made of, in sentences for the person who reads it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from arena.core import ModelSpec
from arena.forecast.agent_view import AgentView, models_of
from arena.forecast.learned import Learned
from arena.forecast.paid import ModelPrice
from arena.forecast.rehearsal import Rehearsal, rehearsed_tools
from arena.forecast.simulation import Simulated, Used
from arena.forecast.stated import LONGER
from arena.llm.scripted.policies import is_scripted


def notes_of(
    agents: Mapping[int, AgentView],
    rehearsal: Rehearsal,
    games: int,
    learned: Learned | None,
    simulated: Simulated,
    prices: Mapping[str, ModelPrice],
) -> tuple[str, ...]:
    """What is to be said of an estimate of so many `games`; `learned` is None where every model is
    scripted."""
    count = len(rehearsal.games)
    some = f"All {count}" if count == games else f"{count} of {games}"
    notes = [f"{some} games were rehearsed, and no provider was asked."]
    if rehearsal.void:
        notes.append(f"{rehearsal.void} more games went void in the rehearsal and are left out.")
    tooled = [agent.spec for agent in agents.values() if agent.spec.tools]
    if any(len(rehearsed_tools(agent)) < len(agent.tools) for agent in tooled):
        notes.append("Tools with an effect outside are not rehearsed: their calls are left out.")
    if learned is None:
        if count == 1 and games > 1:
            notes.append(
                "One rehearsed game does not say how games differ: the intervals are too small."
            )
        return tuple(notes)
    notes.append(_length(learned))
    models = [model for model in models_of(agents) if not is_scripted(model)]
    notes += [_answered(model, learned, simulated.models[model.name]) for model in models]
    notes += [
        f"{model.name}: no price is known; give it input_price and output_price to see dollars."
        for model in models
        if prices[model.name].table is None
    ]
    if any(not is_scripted(agent.model) for agent in tooled):
        notes.append(
            "Agents with tools are taken to call one in each turn, until games on record say more."
        )
    if not learned.games_here:
        notes.append("Failed attempts and games that are played again are not counted.")
    return tuple(notes)


def _length(learned: Learned) -> str:
    if learned.games_here:
        return (
            f"How long games are, and requests in them, is learned from {learned.games_here:,} on "
            f"record: {learned.turns_here:,.1f} turns each."
        )
    less, more = LONGER
    return (
        f"Moves at random stand in for answers; real games may have {less:g} to {more:g} times as "
        "many calls."
    )


def _answered(model: ModelSpec, learned: Learned, used: Used) -> str:
    calls, here = learned.calls_of.get(model.litellm_model, (0, False))
    each = used.response_tokens / np.maximum(used.calls, 1.0)
    if calls:
        where = "in this environment" if here else "in other environments"
        return (
            f"{model.name}: {float(each.mean()):,.0f} tokens an answer, learned from {calls:,} "
            f"calls on record {where}."
        )
    low, high = np.quantile(each, (0.05, 0.95))
    return (
        f"{model.name}: no call is on record; {low:,.0f} to {high:,.0f} tokens an answer are "
        "assumed."
    )
