"""One game written down: what every player saw and did, and how it ended."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from arena.core import Environment, Observation, Outcome
from arena.events.gathering import EventsGatherer, GatheredEvents
from arena.testing.policies import ActionPolicy

MakeEnvironment = Callable[[], Environment]


@dataclass(frozen=True, slots=True)
class Turn:
    """An observation, the action as it was given and as the rules got it, and what they said."""

    observation: Observation
    action: str
    prepared: str
    invalid: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole game; `outcome` is taken at the turn limit when the rules had not ended it; `events`
    are what the environment told of it."""

    turns: tuple[Turn, ...]
    outcome: Outcome
    events: GatheredEvents = field(default_factory=GatheredEvents)


class TranscriptGame:
    """A game in progress, so that several can be played turn by turn among each other."""

    def __init__(
        self, environment: Environment, *, seed: int, num_players: int, policy: ActionPolicy
    ) -> None:
        environment.reset(seed=seed, num_players=num_players)
        self.environment = environment
        self.turns: list[Turn] = []
        self._events = EventsGatherer.of(environment, num_players)
        self._events.begun()
        self._policy = policy
        self._rng = random.Random(seed)

    @property
    def done(self) -> bool:
        return bool(self.turns) and self.turns[-1].done

    def advance(self) -> None:
        """Play one turn."""
        observation = self.environment.observe()
        action = self._policy(observation, self._rng)
        prepared = self.environment.prepare(action)
        turn, player = observation.turn_number, observation.player_index
        self._events.acted(turn, player, action, None)
        step = self.environment.step(prepared)
        self._events.stepped(turn, player, invalid=step.invalid, eliminated=step.eliminated)
        self.turns.append(Turn(observation, action, prepared, step.invalid, step.done))

    def transcript(self) -> Transcript:
        """The game so far."""
        outcome = self.environment.outcome(turn_limit=not self.done)
        return Transcript(tuple(self.turns), outcome, self._events.ended(outcome))


def play(
    make: MakeEnvironment,
    *,
    seed: int,
    num_players: int,
    policy: ActionPolicy,
    turn_limit: int = 100,
) -> Transcript:
    """Play one game to its end, or to `turn_limit`."""
    game = TranscriptGame(make(), seed=seed, num_players=num_players, policy=policy)
    while not game.done and len(game.turns) < turn_limit:
        game.advance()
    return game.transcript()
