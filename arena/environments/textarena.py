"""Plays the environments of TextArena as the arena wants them: seeded, isolated and replayable."""

from __future__ import annotations

import difflib
import inspect
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module, metadata
from typing import Any

from arena.core import (
    EnvironmentCrash,
    EnvironmentSpec,
    Observation,
    Outcome,
    PlayerResult,
    Step,
    Termination,
    UsageError,
)
from arena.environments.isolation import IsolatedGenerators
from arena.environments.markup import clip_tokens, clip_vote, rewrite_votes
from arena.environments.textarena_facts import MAX_CHARACTERS, Facts, facts_of


class TextArena:
    """One play of a TextArena environment, behind `arena.core.Environment`.

    `name` is TextArena's id (`SecretMafia-v0`); `options` go to the constructor of its rules.
    Nothing of TextArena is imported before `reset`, or before the options are checked when there
    are any. Raises UsageError for an unknown name or option.

    A game has its own random numbers (see `isolation`), seeded before its rules are constructed.
    """

    spec: EnvironmentSpec

    def __init__(self, *, name: str, **options: Any) -> None:
        self._facts: Facts = facts_of(name)
        self.spec = EnvironmentSpec(
            name=name,
            min_players=self._facts.min_players,
            max_players=self._facts.max_players,
            package="textarena",
            version=_version(),
            options=dict(options),
            description=self._facts.description,
        )
        if options:
            _check_options(name, options)

    def reset(self, *, seed: int, num_players: int) -> None:
        """Start the game. Raises UsageError for a number of players that the rules refuse, or when
        this Python cannot read the rules; EnvironmentCrash when the rules raise."""
        self._facts.check_python(self.spec.name)
        self._facts.check_players(self.spec.name, num_players)
        import textarena

        # Everything about a play is made here and now: a TextArena object that is reset again
        # keeps the history of its last game, old roles included.
        self._generators = IsolatedGenerators(seed, numpy=self._facts.numpy)
        layers, self._rules = self._guard(self._build, textarena, seed, num_players)
        self._state = self._rules.state
        self._action_wrappers = [w for w in layers if isinstance(w, textarena.ActionWrapper)]
        self._history = _history(
            next((w for w in layers if isinstance(w, textarena.ObservationWrapper)), None),
            textarena,
        )
        self._looking_draws = type(self._rules).get_observation is not (
            textarena.Env.get_observation
        )
        self._observation: Observation | None = None
        self._turn_number = 0
        self._done = False
        self._ended_by_invalid = False
        self._invalid_actions = [0] * num_players

    def observe(self) -> Observation:
        """What the player to move sees; kept until the next step. Raises EnvironmentCrash."""
        if self._observation is None:
            if self._looking_draws:
                player, messages = self._guard(self._rules.get_observation)
            else:
                player, messages = self._rules.get_observation()
            text, new = self._history.extend(player, messages, self._state.role_mapping)
            self._observation = Observation(player, self._turn_number, text, new)
        return self._observation

    def prepare(self, action: str) -> str:
        """The text that the rules read: votes rewritten, clipped, bracketed as TextArena does."""
        if self._facts.votes:
            action = rewrite_votes(action)
        clip = clip_vote if self._facts.votes else clip_tokens
        for wrapper in self._action_wrappers:
            limit = getattr(wrapper, "max_num_characters", None)
            if isinstance(limit, int):
                action = clip(action, limit)
            action = wrapper.action(action)
        return clip(action, MAX_CHARACTERS)

    def step(self, action: str) -> Step:
        """Play a prepared action for the player to move. Raises EnvironmentCrash."""
        player: int = self._state.current_player_id
        fatal_before = self._state.game_info[player]["invalid_move"]
        done, _ = self._guard(self._rules.step, action)
        self._observation = None
        self._turn_number += 1
        self._done = bool(done)
        invalid = self._state.error_count > 0 or (
            self._state.game_info[player]["invalid_move"] and not fatal_before
        )
        if invalid:
            self._invalid_actions[player] += 1
        self._ended_by_invalid = self._done and invalid
        return Step(done=self._done, invalid=invalid)

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        """The result so far. Ranks are the order of TextArena's rewards, never its words."""
        rewards, info = self._rules.close()
        players = range(self._state.num_players)
        if rewards is None or not self._done:
            rewards = dict.fromkeys(players, 0.0)
            reason = "The game was stopped at the arena's turn limit."
            termination = Termination.TURN_LIMIT
        else:
            reason = str(info[0].get("reason", "The game is over."))
            termination = (
                Termination.INVALID_ACTION if self._ended_by_invalid else Termination.NATURAL
            )
        roles = self._facts.roles(self._rules)
        teams = self._facts.teams(self._rules)
        best_first = sorted({float(rewards[p]) for p in players}, reverse=True)
        results = tuple(
            PlayerResult(
                player_index=p,
                role=roles[p],
                team=teams[p],
                rank=best_first.index(float(rewards[p])),
                reward=float(rewards[p]),
                invalid_actions=self._invalid_actions[p],
            )
            for p in players
        )
        return Outcome(results, termination, reason, _winner(results))

    def _build(self, textarena: Any, seed: int, num_players: int) -> tuple[list[Any], Any]:
        made = textarena.make(self._facts.made_as(self.spec.name), **self.spec.options)
        made.reset(num_players=num_players, seed=seed)
        layers = []
        while isinstance(made, textarena.Wrapper):
            layers.append(made)
            made = made.env
        return layers, made

    def _guard(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call the rules on this game's generators; whatever they raise is a crash of theirs."""
        try:
            with self._generators:
                return call(*arguments)
        except Exception as error:
            raise EnvironmentCrash(
                f"{self.spec.name} raised {type(error).__name__}: {error}. The game is void: "
                "this is a fault of the rules, not of a player.",
                traceback.format_exc(),
            ) from error
