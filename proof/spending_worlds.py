"""Worlds whose agents spend: tournaments on record as they would be after real runs, made by a
generator instead of providers.

The tournaments are entered by the orchestrator; then games, turns and calls are written as the
recorder leaves them. How long games are, how much agents say, how requests grow, what is cached,
fails or goes void follows from parameters that an estimate does not see, and from shapes that it
does not assume: lengths of games are gamma, uniform or of two kinds, requests hold what was said
before, turn by turn.

    world = draw_world(rng, scenario, setting, rehearsed, 20)
    world.record(database)   # the games that are on record
    world.play(database)     # those that were to be predicted: their ids
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from sqlalchemy import insert, text, update
from sqlmodel import col

from arena.config import TournamentConfig, loads
from arena.core import ModelSpec, Usage
from arena.forecast.rehearsed import RehearsedMeans
from arena.llm.costs.prices import Prices, PriceTable
from arena.orchestrator.catalogue import enter
from arena.orchestrator.preflight import prepare
from db import Database, Game, GameTurn, LLMCall
from proof.spending_rows import NOON, WrittenRows

AgentParts = tuple[str, int, int]
"""Kind, model and prompt of an agent."""

# Kinds of the three agents that play; those on record before may be others.
KINDS = ("thinking", "thinking", "remembering")

SCENARIOS = ("the same tournament", "a later one", "other agents", "other rules")


@dataclass(frozen=True, slots=True)
class EnvironmentSetting:
    """Where games are played: its name, how many play, and the turn limits of its rules and of
    other ones."""

    name: str
    players: int
    turn_limits: tuple[int, int] = (200, 100)


ENVIRONMENTS = (
    EnvironmentSetting("TicTacToe-v0", 2),
    EnvironmentSetting("Nim-v0", 2),
    EnvironmentSetting("KuhnPoker-v0", 2),
    EnvironmentSetting("LiarsDice-v0", 3),
)


@dataclass(frozen=True, slots=True)
class TrueModel:
    """A model as it is: mean tokens of an answer, of which `thought` is never sent again, tokens
    for a character, the share of attempts that fail (and whether these are charged), the share of
    prompts that the provider has cached."""

    tokens: float
    thought: float
    per_character: float
    fails: float
    charged: bool
    cached: float
    prices: PriceTable


@dataclass(frozen=True, slots=True)
class TrueAgent:
    """What an agent has on top of its model, in logarithms, and how it changes a game's length."""

    tokens: float
    request: float
    presence: float


@dataclass(frozen=True, slots=True)
class SpendingWorld:
    """One setting: `recorded` games are on record when `games` more are predicted."""

    scenario: str
    setting: EnvironmentSetting
    rehearsed: RehearsedMeans
    longer: float
    shape: str
    other_rules: float
    drift: float
    void: float
    models: tuple[TrueModel, ...]
    agents: Mapping[AgentParts, TrueAgent]
    before: tuple[AgentParts, ...]
    cast: tuple[AgentParts, ...]
    recorded: int
    games: int
    rng: np.random.Generator = field(repr=False)

    @property
    def config(self) -> TournamentConfig:
        """The tournament that is predicted."""
        own = self.recorded if self.scenario == SCENARIOS[0] else 0
        return self._config("predicted", self.cast, own + self.games, 0)

    def price_of(self, model: ModelSpec) -> PriceTable | None:
        return self.models[int(model.name)].prices

    def record(self, database: Database) -> None:
        """Play what is on record: in the tournament itself, or in two earlier ones."""
        if not self.recorded:
            return
        if self.scenario == SCENARIOS[0]:
            self._play(database, self.config, self.recorded, 0.0)
            return
        rules = int(self.scenario == SCENARIOS[3])
        first = (self.recorded + 1) // 2
        for name, games in (("first", first), ("second", self.recorded - first)):
            if games:
                config = self._config(name, self.before, games, rules)
                self._play(database, config, games, self._drifted(), rules)

    def play(self, database: Database) -> list[int]:
        """Play the games that were predicted: their game_ids."""
        drift = 0.0 if self.scenario == SCENARIOS[0] else self._drifted()
        return self._play(database, self.config, self.games, drift)

    def _drifted(self) -> float:
        return self.drift * float(self.rng.standard_normal())

    def _config(
        self, name: str, cast: Sequence[AgentParts], games: int, rules: int
    ) -> TournamentConfig:
        setting = self.setting
        lines = [
            f"name: {name}",
            "seed: 5",
            f"environment: {{name: {setting.name}, players: {setting.players}, "
            f"turn_limit: {setting.turn_limits[rules]}}}",
            f"games: {games}",
            "models:",
            *(
                f"  - {{name: '{model}', litellm_model: openai/{model}}}"
                for model in sorted({model for _, model, _ in cast})
            ),
            "prompts:",
            *(
                f"  - {{name: p{prompt}, text: 'Play, {prompt}, as player.'}}"
                for prompt in sorted({prompt for _, _, prompt in cast})
            ),
            "agents:",
            *(
                f"  - {{name: {_name(agent)}, kind: {agent[0]}, model: '{agent[1]}', "
                f"prompt: p{agent[2]}}}"
                for agent in cast
            ),
        ]
        return loads("\n".join(lines))

    def _play(
        self,
        database: Database,
        config: TournamentConfig,
        most: int,
        drift: float,
        rules: int = 0,
    ) -> list[int]:
        with database.session() as session:
            entry = enter(session, prepare(config))
        parts = {_name(key): key for key in (*self.cast, *self.before)}
        agents = {number: parts[spec.name] for number, spec in entry.agents.items()}
        with database.session() as session:
            connection = session.connection()
            seats: dict[int, list[AgentParts]] = {}
            for game, agent in connection.execute(_SCHEDULED, {"key": entry.tournament_id}):
                seats.setdefault(game, []).append(agents[agent])
            before = int(connection.execute(_COMPLETED).scalar_one())
            written = WrittenRows()
            played = []
            for place, (scheduled, players) in enumerate([*seats.items()][:most]):
                game = scheduled
                if self.rng.random() < self.void:
                    # The first attempt ends somewhere and goes void; the next one is finished.
                    self._one(written, game, players, drift, rules, float(self.rng.random()))
                    game = int(connection.execute(_AGAIN, {"game": game}).scalar_one())
                    connection.execute(_PLAYERS, {"game": scheduled, "next": game})
                    connection.execute(_VOID, {"game": scheduled})
                self._one(written, game, players, drift, rules, 1.0)
                connection.execute(
                    update(Game)
                    .where(col(Game.id) == game)
                    .values(
                        status="completed",
                        final=True,
                        finished_at=NOON + timedelta(minutes=before + place),
                    )
                )
                played.append(game)
            connection.execute(insert(GameTurn), written.turns)
            connection.execute(insert(LLMCall), written.calls)
        return played

    def _one(
        self,
        written: WrittenRows,
        game: int,
        players: Sequence[AgentParts],
        drift: float,
        rules: int,
        part: float,
    ) -> None:
        """Turns and calls of a game, or of the first part of it."""
        rng, means = self.rng, self.rehearsed
        presence = float(np.mean([self.agents[player].presence for player in players]))
        usual = means.turns * len(players)
        beyond = self.longer + presence + drift / 2 + rules * self.other_rules
        turns = max(round(usual * math.exp(beyond) * self._luck()), len(players))
        turns = max(round(turns * part), 1)
        moods = [math.exp(0.15 * rng.standard_normal()) for _ in players]
        first = int(rng.integers(len(players)))
        said = 0.0
        for turn in range(min(turns, 600)):
            seat = (first + turn) % len(players)
            if len(players) > 2 and rng.random() < 0.2:
                seat = int(rng.integers(len(players)))  # somebody was thrown out
            kind, number, _ = player = players[seat]
            model, agent, own = self.models[number], self.agents[player], means.kinds[kind]
            written.turn(game, turn, seat)
            # What a request holds beside what was said, and how much of that.
            base = float(own.characters[0])
            heard = (float(own.characters[1]) - base) / (means.tokens[1] - means.tokens[0])
            heard = max(heard, 0.0) / max((usual - 1) / 2, 0.5)
            visible = 0.0
            calls = int(own.calls) + int(rng.random() < own.calls % 1.0)
            for call in range(max(calls, 1)):
                characters = base * (0.7 + 0.6 * turn / usual) + heard * said
                prompt = characters * model.per_character * math.exp(agent.request + drift / 2)
                tokens = model.tokens * math.exp(agent.tokens + drift) * moods[seat]
                tokens *= math.exp(0.5 * rng.standard_normal() - 0.125)
                visible = tokens * (1.0 - model.thought)
                usage = Usage(
                    max(round(prompt), 1),
                    max(round(tokens), 1),
                    cached_tokens=round(model.cached * prompt * rng.beta(8, 2)),
                    reasoning_tokens=round(model.thought * tokens),
                )
                while rng.random() < model.fails:
                    written.failed(call, number, model.prices.cost(usage) if model.charged else 0.0)
                written.answered(call, number, usage, model.prices.cost(usage) or 0.0)
            said += visible

    def _luck(self) -> float:
        """A game's length to the mean."""
        match self.shape:
            case "gamma":
                return float(self.rng.gamma(10.0, 0.1))
            case "uniform":
                return float(self.rng.uniform(0.6, 1.4))
            case "early":  # a quarter of the games end in the beginning
                return 0.4 if self.rng.random() < 0.25 else 1.2
            case _:
                return 1.0


_SCHEDULED = text(
    "SELECT g.id, p.agent_id FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.tournament_id = :key AND g.status = 'scheduled' "
    "ORDER BY g.schedule_index, p.player_index"
)
_COMPLETED = text("SELECT COUNT(*) FROM games WHERE status = 'completed'")
_VOID = text(
    "UPDATE games SET status = 'void', void_cause = 'provider', final = FALSE WHERE id = :game"
)
_AGAIN = text(
    "INSERT INTO games (tournament_id, environment_id, schedule_index, block, seed, attempt, "
    "status, final, environment_crashed, created_at) SELECT tournament_id, environment_id, "
    "schedule_index, block, seed, attempt + 1, 'scheduled', FALSE, FALSE, created_at FROM games "
    "WHERE id = :game RETURNING id"
)
_PLAYERS = text(
    "INSERT INTO game_players (game_id, agent_id, player_index, invalid_actions, decided) "
    "SELECT :next, agent_id, player_index, 0, FALSE FROM game_players WHERE game_id = :game"
)


def _name(agent: AgentParts) -> str:
    kind, model, prompt = agent
    return f"{kind}{model}{prompt}"


def draw_world(
    rng: np.random.Generator,
    scenario: str,
    setting: EnvironmentSetting,
    rehearsed: RehearsedMeans,
    recorded: int,
) -> SpendingWorld:
    """A setting with everything that an estimate does not know drawn."""
    models = tuple(_model(rng) for _ in range(4))
    cast = [(kind, int(rng.integers(3)), prompt) for prompt, kind in enumerate(KINDS)]
    before = [*cast]
    if scenario == "other agents":
        # One new model with its own prompt, or one more prompt for a model that is known.
        changed = int(rng.integers(len(cast)))
        cast[changed] = (KINDS[changed], 3 if rng.random() < 0.5 else cast[changed][1], 7)
    agents = {
        key: TrueAgent(
            tokens=0.3 * float(rng.standard_normal()),
            request=0.08 * float(rng.standard_normal()),
            presence=0.2 * float(rng.standard_normal()),
        )
        for key in dict.fromkeys((*cast, *before))
    }
    return SpendingWorld(
        scenario=scenario,
        setting=setting,
        rehearsed=rehearsed,
        longer=float(rng.uniform(math.log(0.4), math.log(1.65))),
        shape=str(rng.choice(["gamma", "uniform", "early", "fixed"])),
        other_rules=0.3 * float(rng.standard_normal()),
        drift=float(rng.choice([0.0, 0.05, 0.1])),
        void=float(rng.choice([0.0, 0.0, 0.05])),
        models=models,
        agents=agents,
        before=tuple(before),
        cast=tuple(cast),
        recorded=recorded,
        games=int(rng.choice([1, 4, 12, 40])),
        rng=rng,
    )


def _model(rng: np.random.Generator) -> TrueModel:
    dollars = float(rng.uniform(0.1, 3.0)) / 1e6
    discount = float(rng.choice([1.0, 0.5, 0.1]))
    prices = Prices(dollars, 4 * dollars, None if discount == 1.0 else discount * dollars)
    return TrueModel(
        tokens=math.exp(rng.uniform(math.log(12.0), math.log(500.0))),
        thought=float(rng.choice([0.0, 0.0, 0.7])),
        per_character=float(rng.uniform(0.21, 0.32)),
        fails=float(rng.choice([0.0, 0.02, 0.1])),
        charged=bool(rng.random() < 0.5),
        cached=0.0 if discount == 1.0 else float(rng.uniform(0.0, 0.7)),
        prices=PriceTable((prices,)),
    )
