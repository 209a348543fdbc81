"""What is believed of games and agents before they play: what was stated, and what the record says.

Four quantities make up what a game takes, each on a logarithmic scale with its own linear model
with random effects (`arena.stats.mixed`):

- turns of a game, for each player: around the games that were rehearsed; effects of the agents,
  since some stall and some lose early;
- calls for each turn of an agent, failed attempts included: around those of the rehearsal;
- tokens of an answer, thoughts included: around the middle of a stated range; effects of the model,
  of its kind and of the agent;
- tokens of a request: around the characters rehearsed, at the mean length of the answers in the
  game, because they are sent again; effects of model and agent. Its slope over the length of a game
  is how requests grow.

All have an effect of the tournament as well: one that was not played yet differs from those on
record by more than the luck of its games. Games under other options, with other players or in other
environments tell of the agents, less of the rules. An agent without a game of its own is taken for
one of its model and kind, of its model, or of the stated range. All effects are drawn, 2,000 times,
so that what is not known widens the interval.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from arena.core.arrays import Floats
from arena.forecast.agent_view import AgentView
from arena.forecast.effects import DrawnEffects, levels, one, slope
from arena.forecast.model_history import Habits
from arena.forecast.past_table import PastTable, played_by_script, tools_unsure
from arena.forecast.past_usage import PastUsage
from arena.forecast.rehearsed import RehearsedMeans
from arena.forecast.stated import (
    ANSWER,
    LONGER,
    PER_CHARACTER,
    SIMULATIONS,
    Residuals,
    deviation,
    longest_answer,
    middle,
    stated_answer,
)
from arena.stats.mixed import Component

# Standard deviations of logarithms: of effects, and of one measurement (`noise`). How many effects
# or measurements a stated one counts for stands beside it where it is learned.
_TOURNAMENT = (0.07, 4.0)
_OTHER_RULES, _OTHER_ENVIRONMENT = (0.35, 2.0), (0.35, 2.0)
# The length of games in an environment, and what an agent changes of it if it has all seats: two
# that were never seen make the stated range together.
_LENGTH, _PRESENCE = 0.36, (0.3, 3.0)

# How much of the stated deviation is left of a model whose requests were read.
_KNOWN = 0.4

# Games of agents differ at least as much as this, however alike those at random are.
_LEAST_LUCK = 0.2

# Void attempts that count beside those on record, and the games that these are of.
_VOID = (0.3, 10.0)

# Games of equal shares that count beside those on record.
_EQUAL = 4.0


@dataclass(frozen=True, slots=True)
class Learned:
    """One draw of everything for each simulation; by agent number where it is an agent's.

    `turns` is the logarithm of the turns of a game for each player beyond that of the rehearsed
    `usual`; `presence` what it would be more if the agent had all seats; `share` an agent's turns
    to those of an equal share; `calls` are for a turn, `answer` and `request` tokens for a call in
    a game of the usual length, no answer being longer than `longest`. A game that is longer by x
    has calls longer by `growth` * x, in logarithms. `games`, `attempts`, `answers` and `requests`
    are the luck of single games, and of single seats in them; `waste` is what all attempts at a
    place take to its finished game. `games_here` are on record of the environment, of `turns_here`
    on average; `calls_of` the calls on record by LiteLLM name, and whether some were in it.
    """

    usual: float
    turns: Floats
    presence: Mapping[int, Floats]
    games: Residuals
    share: Mapping[int, Floats]
    calls: Mapping[int, Floats]
    attempts: Residuals
    answer: Mapping[int, Floats]
    answer_growth: Floats
    answers: Residuals
    longest: Mapping[int, float]
    request: Mapping[int, Floats]
    request_growth: Floats
    requests: Residuals
    waste: Floats
    games_here: int
    turns_here: float
    calls_of: Mapping[str, tuple[int, bool]]


def learn(
    rng: np.random.Generator,
    agents: Mapping[int, AgentView],
    past: PastUsage,
    rehearsed: RehearsedMeans,
    habits: Mapping[str, Habits],
    seats: Mapping[int, int],
    games_to_play: int,
) -> Learned:
    """Fit the models and draw from them. `habits` are of models by LiteLLM name, `seats` how many
    each agent fills in all the games that are to be played."""
    table = PastTable(agents, past, rehearsed)
    length, presence, games = _turns(rng, table)
    calls, attempts = _calls(rng, table)
    answer, answer_growth, answers = _answers(rng, table)
    heard = _heard(table, seats, calls, answer)
    request, request_growth, requests = _requests(rng, table, habits, heard)
    return Learned(
        usual=rehearsed.turns,
        turns=length,
        presence=presence,
        games=games,
        share=_shares(rng, table),
        calls=calls,
        attempts=attempts,
        answer=answer,
        answer_growth=answer_growth,
        answers=answers,
        longest={n: float(longest_answer(a.model) or math.inf) for n, a in agents.items()},
        request=request,
        request_growth=request_growth,
        requests=requests,
        waste=_waste(rng, table, games_to_play),
        games_here=len(table.turns),
        turns_here=sum(table.turns.values()) / max(len(table.turns), 1),
        calls_of=table.calls_of(),
    )


def _turns(
    rng: np.random.Generator, table: PastTable
) -> tuple[Floats, Mapping[int, Floats], Residuals]:
    games = {seat.game_id: seat for seat in table.here}
    rows = [*games.values()]
    marks = sorted({mark for game in games for mark in table.past.players[game]})
    places: dict[Hashable, int] = {mark: place for place, mark in enumerate(marks)}
    for agent in table.agents.values():
        places.setdefault(agent.mark, len(places))
    presence = np.zeros((len(rows), len(places)))
    for row, game in enumerate(games):
        players = table.past.players[game]
        for mark in players:
            presence[row, places[mark]] += 1 / len(players)
    tournaments = levels([row.tournament_id for row in rows], [table.tournament], _TOURNAMENT)
    logs = table.rehearsed.logs
    usual = middle(LONGER) + float(logs.mean())
    sure = float(logs.std()) / math.sqrt(len(logs))
    drawn = DrawnEffects(
        rng,
        [table.longer[game] - usual for game in games],
        {
            "all": one(len(rows), math.hypot(_LENGTH, sure)),
            "rules": levels([table.rules(row.environment_id) for row in rows], [], _OTHER_RULES),
            "agents": (Component(presence, *_PRESENCE), places),
            "tournaments": tournaments,
        },
        noise=float(np.clip(logs.std(), _LEAST_LUCK, 0.6)),
    )
    return (
        usual + drawn("all") + drawn("tournaments", table.tournament),
        {number: drawn("agents", agent.mark) for number, agent in table.agents.items()},
        drawn.pool(logs if logs.std() > 0.05 else None),
    )


def _shares(rng: np.random.Generator, table: PastTable) -> Mapping[int, Floats]:
    """Turns of an agent to an equal share of its games' turns: of sums, with four games of equal
    shares beside them."""
    own = dict.fromkeys(table.agents, 0.0)
    equal = dict.fromkeys(table.agents, 0.0)
    games: dict[int, set[int]] = {number: set() for number in table.agents}
    for seat in table.here:
        if (number := table.number.get(seat.agent)) is not None:
            own[number] += seat.turns
            games[number].add(seat.game_id)
    for number, played in games.items():
        mark = table.agents[number].mark
        for game in played:
            players = table.past.players[game]
            equal[number] += table.turns[game] * players.count(mark) / len(players)
    usual = table.rehearsed.turns
    found = {}
    for number, played in games.items():
        share = (own[number] + _EQUAL * usual) / (equal[number] + _EQUAL * usual)
        spread = 0.3 / math.sqrt(_EQUAL + len(played))
        found[number] = share * np.exp(spread * rng.standard_normal(SIMULATIONS))
    return found


def _calls(rng: np.random.Generator, table: PastTable) -> tuple[Mapping[int, Floats], Residuals]:
    rows = [seat for seat in table.here if not played_by_script(seat)]
    expected = [
        table.rehearsed.agent(table.number.get(seat.agent), seat.kind).calls for seat in rows
    ]
    views = [agent for agent in table.agents.values() if not agent.scripted]
    tournaments = levels([row.tournament_id for row in rows], [table.tournament], _TOURNAMENT)
    drawn = DrawnEffects(
        rng,
        [
            math.log(seat.calls / seat.turns / usual)
            for seat, usual in zip(rows, expected, strict=True)
        ],
        {
            "all": one(len(rows), 0.05),
            "models": levels(
                [seat.model for seat in rows],
                [agent.model.litellm_model for agent in views],
                (0.1, 4.0),
            ),
            "agents": levels(
                [seat.agent for seat in rows], [agent.mark for agent in views], (0.1, 4.0)
            ),
            "tournaments": tournaments,
        },
        noise=0.1,
    )
    found = {}
    for number, agent in table.agents.items():
        usual = table.rehearsed.agent(number, agent.spec.kind).calls
        found[number] = np.full(SIMULATIONS, usual)
        if not agent.scripted:
            effects = drawn("all") + drawn("models", agent.model.litellm_model)
            effects = effects + drawn("agents", agent.mark) + drawn("tournaments", table.tournament)
            found[number] = usual * np.exp(effects + tools_unsure(rng, agent, rows))
    return found, drawn.pool()


def _answers(
    rng: np.random.Generator, table: PastTable
) -> tuple[Mapping[int, Floats], Floats, Residuals]:
    rows = [seat for seat in table.seats if not played_by_script(seat) and seat.response_tokens]
    views = {number: agent for number, agent in table.agents.items() if not agent.scripted}
    names = [table.past.environments[seat.environment_id] for seat in rows]
    tournaments = levels([seat.tournament_id for seat in rows], [table.tournament], _TOURNAMENT)
    drawn = DrawnEffects(
        rng,
        [
            math.log(seat.response_tokens / seat.calls)
            - middle(table.bounds.get(seat.model_name, ANSWER))
            for seat in rows
        ],
        {
            "all": one(len(rows), 0.6),
            "environments": levels(
                [None if name == table.environment else name for name in names],
                [],
                _OTHER_ENVIRONMENT,
            ),
            "rules": levels(
                [
                    table.rules(seat.environment_id) if name == table.environment else None
                    for seat, name in zip(rows, names, strict=True)
                ],
                [],
                (0.15, 2.0),
            ),
            "models": levels(
                [seat.model for seat in rows],
                [agent.model.litellm_model for agent in views.values()],
                (0.95, math.inf),
            ),
            "kinds": levels(
                [(seat.model, seat.kind) for seat in rows],
                [table.kind(agent) for agent in views.values()],
                (0.3, 4.0),
            ),
            "agents": levels(
                [seat.agent for seat in rows],
                [agent.mark for agent in views.values()],
                (0.4, 4.0),
            ),
            "tournaments": tournaments,
            "growth": slope([table.longer.get(seat.game_id, 0.0) for seat in rows], 0.1),
        },
        noise=0.3,
    )
    found: dict[int, Floats] = {}
    for number, agent in table.agents.items():
        found[number] = np.full(SIMULATIONS, table.rehearsed.agent(number, agent.spec.kind).answer)
        if not agent.scripted:
            effects = drawn("all") + drawn("models", agent.model.litellm_model)
            effects = effects + drawn("kinds", table.kind(agent)) + drawn("agents", agent.mark)
            effects = effects + drawn("tournaments", table.tournament)
            tokens = np.exp(middle(stated_answer(agent.model)) + effects)
            most = longest_answer(agent.model)
            found[number] = tokens if most is None else np.minimum(tokens, most)
    return found, drawn("growth"), drawn.pool()


def _heard(
    table: PastTable,
    seats: Mapping[int, int],
    calls: Mapping[int, Floats],
    answer: Mapping[int, Floats],
) -> Floats:
    """(simulations,): tokens of an answer on average over the agents that play."""
    weights = [calls[number] * count for number, count in seats.items()]
    tokens = [answer[n] * table.visible(n) * w for n, w in zip(seats, weights, strict=True)]
    heard: Floats = np.sum(tokens, axis=0) / np.sum(weights, axis=0)
    return heard


def _requests(
    rng: np.random.Generator, table: PastTable, habits: Mapping[str, Habits], heard: Floats
) -> tuple[Mapping[int, Floats], Floats, Residuals]:
    usual = table.rehearsed
    said: dict[int, tuple[int, int]] = {}
    for seat in table.here:
        tokens, calls = said.get(seat.game_id, (0, 0))
        # Thoughts are not sent again.
        visible = max(seat.response_tokens - seat.reasoning_tokens, 0)
        said[seat.game_id] = (tokens + visible, calls + seat.calls)
    rows = [seat for seat in table.here if not played_by_script(seat) and seat.prompt_tokens]
    views = {number: agent for number, agent in table.agents.items() if not agent.scripted}
    stated, growth = middle(PER_CHARACTER), usual.growth
    models, places = levels(
        [seat.model for seat in rows],
        [agent.model.litellm_model for agent in views.values()],
        (deviation(PER_CHARACTER), math.inf),
    )
    known = {
        name: math.log(spread.mean)
        for name, own in habits.items()
        if name in places and (spread := own.tokens_per_character) is not None
    }
    for name in known:
        # Its own requests say how many tokens a character is, and leave a part of that open.
        models.design[:, places[name]] *= _KNOWN
    y = []
    for seat in rows:
        tokens, calls = said[seat.game_id]
        characters = usual.characters(
            table.number.get(seat.agent), seat.kind, np.array([tokens / calls])
        )
        y.append(
            math.log(seat.prompt_tokens / seat.calls / float(characters[0]))
            - known.get(seat.model, stated)
            - growth * table.longer[seat.game_id]
        )
    tournaments = levels([seat.tournament_id for seat in rows], [table.tournament], _TOURNAMENT)
    drawn = DrawnEffects(
        rng,
        y,
        {
            "all": one(len(rows), 0.15),
            "rules": levels([table.rules(seat.environment_id) for seat in rows], [], (0.2, 2.0)),
            "models": (models, places),
            "agents": levels(
                [seat.agent for seat in rows],
                [agent.mark for agent in views.values()],
                (0.12, 4.0),
            ),
            "tournaments": tournaments,
            "growth": slope([table.longer[seat.game_id] for seat in rows], 0.2),
        },
        noise=0.2,
    )
    found: dict[int, Floats] = {}
    for number, agent in table.agents.items():
        characters = usual.characters(number, agent.spec.kind, heard)
        if agent.scripted:
            found[number] = characters / 4.0
            continue
        name = agent.model.litellm_model
        effects = (
            drawn("all") + drawn("agents", agent.mark) + drawn("tournaments", table.tournament)
        )
        effects = effects + drawn("models", name) * (_KNOWN if name in known else 1.0)
        found[number] = characters * np.exp(known.get(name, stated) + effects)
    return found, growth + drawn("growth"), drawn.pool()


def _waste(rng: np.random.Generator, table: PastTable, games: int) -> Floats:
    """Attempts that go void are Poisson, at a rate that is gamma; each takes a part of a game."""
    seats = table.all_here
    places = len(table.turns)
    void = len({seat.game_id for seat in seats if seat.void})
    part = 0.5
    if void:
        of_void = sum(seat.calls for seat in seats if seat.void) / void
        of_game = sum(seat.calls for seat in seats if not seat.void) / max(places, 1)
        part = float(np.clip(of_void / of_game, 0.05, 3.0))
    rate = rng.gamma(_VOID[0] + void, 1.0 / (_VOID[1] + places), SIMULATIONS)
    waste: Floats = 1.0 + rng.poisson(rate * games) * part / games
    return waste
