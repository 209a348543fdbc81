"""The record as rows for the fits of an estimate."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from arena.core.arrays import Floats
from arena.forecast.agent_view import AgentView
from arena.forecast.past_usage import PastUsage
from arena.forecast.rehearsed import RehearsedMeans
from arena.forecast.stated import TOOLED, lognormal, stated_answer
from arena.llm.scripted.policies import PREFIX
from db.queries.game_usage import SeatUsage

NEW = "new"
"""A tournament that is not on record."""


class PastTable:
    """The record as rows for the fits: `here` are seats in this environment by name, under whatever
    options and with however many players, `all_here` those of void attempts too."""

    def __init__(
        self, agents: Mapping[int, AgentView], past: PastUsage, rehearsed: RehearsedMeans
    ) -> None:
        self.agents = agents
        self.past = past
        self.rehearsed = rehearsed
        self.number = {agent.mark: number for number, agent in agents.items()}
        self.bounds = {agent.model.name: stated_answer(agent.model) for agent in agents.values()}
        self.seats = [seat for seat in past.seats if not seat.void and seat.turns]
        self.environment = rehearsed.environment
        self.all_here = [
            seat
            for seat in past.seats
            if past.environments[seat.environment_id] == self.environment
        ]
        self.here = [seat for seat in self.all_here if not seat.void and seat.turns]
        turns: dict[int, int] = {}
        for seat in self.here:
            turns[seat.game_id] = turns.get(seat.game_id, 0) + seat.turns
        # The turns for each player beyond those that were rehearsed, in logarithms, by game.
        self.longer = {
            game: math.log(count / len(past.players[game]) / rehearsed.turns)
            for game, count in turns.items()
        }
        self.turns = turns

    def visible(self, number: int) -> float:
        """The share of an agent's answers that is no thought."""
        mark = self.agents[number].mark
        own = [seat for seat in self.here if seat.agent == mark]
        tokens = sum(seat.response_tokens for seat in own)
        thoughts = min(sum(seat.reasoning_tokens for seat in own), tokens)
        return 1.0 - thoughts / tokens if tokens else 1.0

    def rules(self, environment: int) -> int | None:
        """None for the rules that are to be played."""
        return None if environment == self.past.current else environment

    def kind(self, agent: AgentView) -> Hashable:
        return (agent.model.litellm_model, agent.spec.kind)

    def calls_of(self) -> dict[str, tuple[int, bool]]:
        """The calls of each model on record, by LiteLLM name; whether some were in this
        environment."""
        found: dict[str, tuple[int, bool]] = {}
        for seat in self.seats:
            count, here = found.get(seat.model, (0, False))
            here = here or self.past.environments[seat.environment_id] == self.environment
            found[seat.model] = (count + seat.calls, here)
        return found

    @property
    def tournament(self) -> Hashable:
        """The one that is to be played."""
        return self.past.tournament or NEW


def played_by_script(seat: SeatUsage) -> bool:
    return seat.model.startswith(PREFIX)


def tools_unsure(
    rng: np.random.Generator, agent: AgentView, rows: Sequence[SeatUsage]
) -> Floats | float:
    """What the calls of an agent with tools may be more or less than was rehearsed, in logarithms,
    as long as none of `rows` is a seat of its own."""
    if not agent.spec.tools or any(seat.agent == agent.mark for seat in rows):
        return 0.0
    drawn: Floats = np.log(lognormal(rng, TOOLED))
    return drawn
