"""Makes what asks a tournament's models: the client, and the limits that its calls keep."""

from __future__ import annotations

import random

from arena import registry
from arena.config import TournamentConfig
from arena.llm.client import Client
from arena.llm.pacing.limits import Limits, ModelLimits

# Seconds for which a model may fail that has never answered at all.
DOUBT = 30.0


def client_for(config: TournamentConfig | None, *, keep_answers: bool = False) -> Client:
    """The client of a tournament, or of games that belong to none."""
    if config is None:
        return Client(registry.provider, policy=registry.policy, keep_answers=keep_answers)
    return Client(
        registry.provider,
        policy=registry.policy,
        provider=config.llm.provider,
        timeout=config.llm.timeout,
        retries=config.llm.retries,
        keep_answers=keep_answers,
    )


def limits_for(config: TournamentConfig | None) -> Limits:
    """The limits of a tournament's models, or of games that belong to none."""
    jitter = random.Random(0)
    if config is None:
        return Limits(doubt=DOUBT, rng=jitter)
    return Limits(
        {model.name: ModelLimits(**model.limits.model_dump()) for model in config.models},
        patience=config.llm.patience,
        doubt=DOUBT,
        rng=jitter,
    )
