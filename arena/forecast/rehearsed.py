"""What rehearsed games say on average: turns, calls, and how long requests are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arena.core import AgentSpec
from arena.core.arrays import Floats
from arena.forecast.rehearsal import Asked, Rehearsal

# A longer game has longer requests: by this much, in logarithms, where no rehearsal tells.
_GROWTH = 0.5


@dataclass(frozen=True, slots=True)
class RehearsedAgent:
    """Means of one agent, or of several: calls for each turn, tokens of a scripted answer, and the
    characters of a request at each rehearsed length (lengths,)."""

    calls: float
    answer: float
    characters: Floats


@dataclass(frozen=True, slots=True)
class RehearsedMeans:
    """`turns` are those of a game for each player, `logs` (games,) what games deviate from that in
    logarithms; `growth` is the slope of a request's length over a game's, both in logarithms.
    `tokens` (lengths,) are those of an answer at each rehearsed length; `own` and `kinds` are the
    means of agents by number and of kinds, `everybody` of all."""

    environment: str
    turns: float
    logs: Floats
    growth: float
    tokens: Floats
    own: Mapping[int, RehearsedAgent]
    kinds: Mapping[str, RehearsedAgent]
    everybody: RehearsedAgent

    def agent(self, number: int | None, kind: str) -> RehearsedAgent:
        """Of an agent, else of its kind, else of all."""
        own = None if number is None else self.own.get(number)
        return own or self.kinds.get(kind) or self.everybody

    def characters(self, number: int | None, kind: str, heard: Floats) -> Floats:
        """Of a request, where answers have `heard` tokens; longer ones than the longest rehearsed
        are taken for as long as that: most of them is thought that is not sent again."""
        of: Floats = np.interp(heard, self.tokens, self.agent(number, kind).characters)
        return of


def rehearsed_means(
    environment: str,
    rehearsal: Rehearsal,
    agents: Mapping[int, AgentSpec],
    lengths: Sequence[int],
) -> RehearsedMeans:
    """Of a rehearsal with at least one game, at these lengths in characters."""
    games, middle = rehearsal.games, len(lengths) // 2
    turns = np.array(
        [
            sum(asked.turns for asked in game.levels[middle].values()) / len(game.pairing.agents)
            for game in games
        ],
        dtype=np.float64,
    )
    turns = np.maximum(turns, 0.5)
    each = float(turns.mean())
    summed = {number: _sums(rehearsal, [number]) for number in agents}
    own = {
        number: _means(levels)
        for number, levels in summed.items()
        if any(level.calls for level in levels)
    }
    kinds = {
        kind: _means(_sums(rehearsal, [n for n, agent in agents.items() if agent.kind == kind]))
        for kind in {agents[number].kind for number in own}
    }
    return RehearsedMeans(
        environment=environment,
        turns=each,
        logs=np.log(turns / each),
        growth=_growth(rehearsal, middle, turns),
        tokens=np.array(lengths, dtype=np.float64) / 4.0,
        own=own,
        kinds=kinds,
        everybody=_means(_sums(rehearsal, [*agents])),
    )


def _sums(rehearsal: Rehearsal, agents: Sequence[int]) -> list[Asked]:
    """Over all games, at each length."""
    summed = [Asked() for _ in rehearsal.games[0].levels]
    for game in rehearsal.games:
        for total, level in zip(summed, game.levels, strict=True):
            for number in agents:
                asked = level.get(number, Asked())
                total.turns += asked.turns
                total.calls += asked.calls
                total.characters += asked.characters
                total.response_tokens += asked.response_tokens
    return summed


def _means(levels: Sequence[Asked]) -> RehearsedAgent:
    calls = sum(level.calls for level in levels)
    return RehearsedAgent(
        calls=max(calls, 1) / max(sum(level.turns for level in levels), 1),
        answer=sum(level.response_tokens for level in levels) / max(calls, 1),
        characters=np.array([max(level.characters, 1) / max(level.calls, 1) for level in levels]),
    )


def _growth(rehearsal: Rehearsal, middle: int, turns: Floats) -> float:
    logs = np.log(turns)
    if len(turns) < 4 or logs.std() < 0.05:
        return _GROWTH
    requests = []
    for game in rehearsal.games:
        level = [*game.levels[middle].values()]
        calls = max(sum(asked.calls for asked in level), 1)
        requests.append(max(sum(asked.characters for asked in level), 1) / calls)
    slope = np.cov(logs, np.log(requests))[0, 1] / logs.var(ddof=1)
    return float(np.clip(slope, 0.0, 1.2))
