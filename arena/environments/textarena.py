"""Plays the environments of TextArena as the arena wants them: seeded, isolated and replayable."""

from __future__ import annotations

import difflib
import inspect
import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module, metadata
from typing import Any

from arena.core import (
    ActionReading,
    EnvironmentCrash,
    EnvironmentSpec,
    Event,
    GameBooks,
    Observation,
    Outcome,
    PlayerKnows,
    PlayerResult,
    Position,
    RulesOption,
    Step,
    Termination,
    UsageError,
    options_of,
)
from arena.environments.events.mafia_chances import positions
from arena.environments.events.telling import Telling
from arena.environments.history import GAME, CumulativeHistory, ObservationHistory, WrappedHistory
from arena.environments.isolation import IsolatedGenerators
from arena.environments.markup import clip_tokens, clip_vote, rewrite_votes, shorten_numbers
from arena.environments.quoting import Quoting
from arena.environments.textarena_books import amiss_in, conserved_in
from arena.environments.textarena_facts import MAX_CHARACTERS, facts_of, family_of
from arena.environments.textarena_faults import (
    MENDED,
    MENDS,
    faults_of,
    twin_of,
    upstream_of,
)
from arena.environments.textarena_import import import_textarena
from arena.environments.textarena_reading import question_of, read_action
from arena.environments.textarena_sides import (
    died_of_an_invalid_move,
    out_of,
    roles_of,
    teams_of,
)
from arena.environments.textarena_told import names_of, read_known, words_of
from arena.environments.textarena_watch import Watch

REVISION = 3
"""How this adapter puts games to players, and answers to the rules. 1: both are passed on as they
are. 2: whom an answer chooses is read first (`textarena_reading`). 3: what players say is made
harmless before it comes before others (`quoting`), and who dies of an action that the rules cannot
read has made an invalid one, also where they do not say so."""


class TextArena:
    """One play of a TextArena environment, behind `arena.core.Environment`.

    `name` is TextArena's id (`SecretMafia-v0`); `options` go to the constructor of its rules; with
    an earlier `revision` it plays as this adapter did then.
    Nothing of TextArena is imported before `reset`, or before the options are checked when there
    are any. Raises UsageError for an unknown name or option.

    A game has its own random numbers (see `isolation`), seeded before its rules are constructed.
    """

    spec: EnvironmentSpec

    def __init__(self, *, name: str, revision: int = REVISION, **options: Any) -> None:
        if not 1 <= revision <= REVISION:
            raise UsageError(
                f"{name} was asked for in revision {revision} of its adapter; this release knows "
                f"1 to {REVISION}"
            )
        self._facts = facts_of(name)
        self._family = family_of(name)
        self._words = words_of(self._family)
        self.spec = EnvironmentSpec(
            name=name,
            min_players=self._facts.min_players,
            max_players=self._facts.max_players,
            package="textarena",
            version=_version(name),
            options=dict(options),
            description=self._facts.description + (" Mended." if name.endswith(MENDED) else ""),
            max_characters=self._facts.max_characters,
            revision=revision,
            faults=faults_of(name),
            twin=twin_of(name),
            tells=self._words.tells,
        )
        if options:
            _check_options(name, options)

    def options(self) -> list[RulesOption]:
        """What the constructor of the rules takes, with what holds for this name. Raises UsageError
        when this Python cannot read the rules."""
        self._facts.check_python(self.spec.name)
        name = self.spec.name
        return options_of(_rules_class(name), _registered(name).kwargs)

    def reset(self, *, seed: int, num_players: int) -> None:
        """Start the game. Raises UsageError for a number of players that the rules refuse, or when
        this Python cannot read the rules; EnvironmentCrash when the rules raise."""
        self._facts.check_python(self.spec.name)
        self._facts.check_players(self.spec.name, num_players)
        textarena = import_textarena()
        # Before the generators are lent: what is imported may keep a function of `random`.
        _rules_class(self.spec.name)
        # Everything about a play is made here and now: a TextArena object that is reset again
        # keeps the history of its last game, old roles included.
        self._generators = IsolatedGenerators(seed, numpy=self._facts.numpy)
        layers, self._rules = self._start(textarena, seed, num_players)
        self._state = self._rules.state
        self._watch = Watch(self._state)
        self._action_wrappers = [w for w in layers if isinstance(w, textarena.ActionWrapper)]
        self._history = _history(layers)
        self._quoting = _quoting(self._state) if self.spec.revision >= 3 else None
        self._looking_draws = type(self._rules).get_observation is not (
            textarena.Env.get_observation
        )
        self._observation: Observation | None = None
        self._turn_number = 0
        self._done = False
        self._refused_last: int | None = None
        self._invalid_actions = [0] * num_players
        self._telling = Telling(self._family, self._rules)

    def observe(self) -> Observation:
        """What the player to move sees; kept until the next step. Raises EnvironmentCrash."""
        if self._observation is None:
            if self._looking_draws:
                player, messages = self._guard(self._rules.get_observation)
            else:
                player, messages = self._rules.get_observation()
            if self._quoting is not None:
                messages = [(by, self._shown(by, said, kind), kind) for by, said, kind in messages]
            text, new = self._history.extend(player, messages, self._state.role_mapping)
            self._observation = Observation(player, self._turn_number, text, new)
        return self._observation

    def _shown(self, sender: int, said: Any, kind: Any) -> str:
        """A message as players are shown it; the prompts are the rules' alone."""
        assert self._quoting is not None
        text = str(said)
        if sender != GAME:
            return self._quoting.of_player(text)
        return text if kind.name == "PROMPT" else self._quoting.of_rules(text)

    def known(self, observation: str) -> PlayerKnows:
        """What the text of an observation tells its player of itself."""
        return read_known(self._words, observation)

    def player_names(self, num_players: int) -> Sequence[str]:
        """The names of the players, in order of player_index."""
        return names_of(self._words, num_players)

    def prepare(self, action: str) -> str:
        """The text that the rules read: votes rewritten, clipped, bracketed as TextArena does."""
        action = shorten_numbers(action)
        if self._facts.votes:
            action = rewrite_votes(action)
        clip = clip_vote if self._facts.votes else clip_tokens
        if len(action) > MAX_CHARACTERS:
            # Room for the two brackets that a wrapper may add.
            action = clip(action, MAX_CHARACTERS - 2)
        for wrapper in self._action_wrappers:
            limit = getattr(wrapper, "max_num_characters", None)
            if isinstance(limit, int):
                action = clip(action, limit)
            action = wrapper.action(action)
        return action

    def read(self, action: str) -> ActionReading:
        """What the rules are given for an action, and whom it was read to choose."""
        if self.spec.revision == 1:
            return ActionReading(self.prepare(action))
        question = question_of(self._family, self._rules, self.observe())
        return read_action(action, question, self.prepare)

    def step(self, action: str) -> Step:
        """Play a prepared action for the player to move. Raises EnvironmentCrash."""
        player: int = self._state.current_player_id
        before = out_of(self._family, self._rules)
        self._watch.refused = False
        self._telling.before(player, action)
        done, _ = self._guard(self._rules.step, action)
        if self._quoting is not None:
            self._quoting.heard(action)
        self._observation = None
        self._turn_number += 1
        self._done = bool(done)
        died = died_of_an_invalid_move(self._family, self._rules, player)
        # An earlier revision took the rules' word for it.
        invalid = self._watch.refused or (died and self.spec.revision >= 3)
        if invalid:
            self._invalid_actions[player] += 1
        self._refused_last = player if invalid else None
        self._telling.after(player, action, refused=invalid)
        return Step(
            done=self._done,
            invalid=invalid,
            eliminated=(invalid or died) and self._is_out(player, before),
        )

    def _is_out(self, player: int, before: frozenset[int]) -> bool:
        """Whether the last action cost the player its place; in a game of two it ends the game."""
        if player in out_of(self._family, self._rules) - before:
            return True
        return bool(self._done and self._state.game_info[player]["invalid_move"])

    def events(self) -> list[Event]:
        """What happened since the last call (`arena.environments.events`). Raises what went wrong
        in telling it."""
        return self._telling.drain()

    def positions(self, events: Sequence[Event], roles: Sequence[str | None]) -> list[Position]:
        """Where a game stood; none where the chances are not known."""
        if self._family != "SecretMafia":
            return []
        return positions(events, roles, mended=self.spec.name.endswith(MENDED))

    def books(self) -> GameBooks:
        """The books of the game as it stands, for a referee."""
        return GameBooks(
            conserved=conserved_in(self._family, self._rules),
            out=out_of(self._family, self._rules),
            late_results=self._watch.late_results,
            amiss=amiss_in(self._family, self._rules),
        )

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        """The result so far. Ranks are the order of TextArena's rewards, never its words. A game
        that is not over is a draw. Raises EnvironmentCrash when a player got no reward, or one
        that is no number."""
        rewards, info = self._rules.close()
        players = range(self._state.num_players)
        over = self._done and rewards is not None
        if over and (forgotten := {p for p in players if not _is_reward(rewards.get(p))}):
            raise EnvironmentCrash(
                f"{self.spec.name} ended without a reward for players {sorted(forgotten)}.",
                f"rewards: {rewards!r}",
            )
        scores = [float(rewards[p]) if over else 0.0 for p in players]
        best_first = sorted(set(scores), reverse=True)
        ranks = [best_first.index(score) for score in scores]
        roles = roles_of(self._family, self._rules)
        teams = teams_of(self._family, self._rules)
        results = tuple(
            PlayerResult(p, roles[p], teams[p], ranks[p], scores[p], self._invalid_actions[p])
            for p in players
        )
        if not over:
            reason, termination = "The game was stopped before its end.", Termination.TURN_LIMIT
        else:
            reason = str(info[0].get("reason", "The game is over."))
            # A refused action that costs its own side nothing did not decide the game.
            fatal = self._refused_last is not None and ranks[self._refused_last] > 0
            termination = Termination.INVALID_ACTION if fatal else Termination.NATURAL
        return Outcome(results, termination, reason, _winner(results))

    def _start(self, textarena: Any, seed: int, num_players: int) -> tuple[list[Any], Any]:
        try:
            layers, rules = self._guard(self._build, textarena, seed, num_players)
        except EnvironmentCrash as crash:
            if not self.spec.options:
                raise
            raise UsageError(
                f"{self.spec.name} could not be started with the options "
                f"{dict(self.spec.options)} and {num_players} players: {crash.__cause__!r}."
            ) from crash
        return layers, rules

    def _build(self, textarena: Any, seed: int, num_players: int) -> tuple[list[Any], Any]:
        made = _make(self.spec.name, raw=self._facts.raw, options=self.spec.options)
        if self._family == "TwoDollar":
            # It draws from its roles in the order in which the disk happens to list their files.
            roles = made.available_roles
            made.env.env.available_roles = {role: roles[role] for role in sorted(roles)}
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


def _history(layers: Sequence[Any]) -> ObservationHistory:
    """TextArena's history, ours where it only appends; raw rules get the same as the others."""
    textarena = import_textarena()
    for layer in layers:
        if type(layer) is textarena.wrappers.LLMObservationWrapper:
            return CumulativeHistory()
        if isinstance(layer, textarena.ObservationWrapper):
            return WrappedHistory(layer)
    return CumulativeHistory()


def _quoting(state: Any) -> Quoting:
    names = (name for player, name in state.role_mapping.items() if player != GAME)
    return Quoting(names, (str(said) for to in state.observations.values() for _, said, _ in to))


def _winner(players: Sequence[PlayerResult]) -> str | None:
    """The team that finished alone in the first place; a lone player's role names it if no other
    player has that role, else its place does."""
    first = [player for player in players if player.rank == 0]
    if len({player.team or player.player_index for player in first}) != 1:
        return None
    winner = first[0]
    if winner.team is not None:
        return winner.team
    roles = [player.role for player in players]
    if winner.role is not None and roles.count(winner.role) == 1:
        return winner.role
    return f"Player {winner.player_index}"


def _make(name: str, *, raw: bool, options: Mapping[str, Any]) -> Any:
    """What `textarena.make` makes, of our own class where the rules are mended."""
    found = _registered(name)
    made = _rules_class(name)(**{**found.kwargs, **options})
    for wrapper in () if raw else found.default_wrappers:
        made = wrapper(made)
    return made


def _rules_class(name: str) -> Any:
    if name.endswith(MENDED):
        import_textarena()
        from arena.environments.textarena_mended import RULES

        return RULES[family_of(name)]
    module, _, class_name = _registered(name).entry_point.partition(":")
    return getattr(import_module(module), class_name)


def _registered(name: str) -> Any:
    return import_textarena().envs.registration.ENV_REGISTRY[upstream_of(name)]


def _is_reward(reward: object) -> bool:
    return isinstance(reward, int | float) and math.isfinite(reward)


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    """Raises UsageError for an option that the constructor of the rules does not take."""
    facts_of(name).check_python(name)
    known = list(inspect.signature(_rules_class(name)).parameters)
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"{name} has no option {option!r}.{hint} It takes: {', '.join(known) or 'none'}."
            )


@cache
def _version(name: str) -> str:
    version = metadata.version("textarena")
    return f"{version}+mended.{MENDS}" if name.endswith(MENDED) else version
