"""Tells what happens in one game of TextArena: every message with its audience, every change of the
state, and what a family of games knows besides.

It stands between the rules and their state, draws no random number, and never stops a game: what
goes wrong in it is kept, and raised where the events are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import wraps
from typing import Any

from arena.core import Event, audience_of
from arena.environments.events.differences import difference, flat
from arena.environments.events.families import facts_for

_RULES = -1  # who sends what the rules say
_EVERYBODY = -1
_LONGEST_TEXT = 200  # characters of a message of the rules that is repeated
_TOLD = frozenset({"GAME_ACTION_DESCRIPTION", "GAME_MESSAGE", "GAME_ADMIN"})
_RESULTS = ("set_draw", "set_game_outcome", "set_winner", "set_winners")
_DAYS = ("round", "current_round", "round_number", "day_number")


class Telling:
    """The events of one play of some rules, from `begin` on."""

    def __init__(self, family: str, rules: Any) -> None:
        self._rules = rules
        self._state = rules.state
        self._log: list[Event] = []
        self._error: BaseException | None = None
        self._everybody = audience_of(range(self._state.num_players))
        self._action = ""
        self._at: tuple[int | None, str | None] = (None, None)
        self._frozen = self._stepping = self._ended = False
        self._held: list[Event] = []
        self._day: int | None = None
        self._phase: str | None = None
        self._messages: dict[tuple[int, str, str], int] = {}
        self._facts = facts_for(family, rules, self.tell, self._safely)
        self._before: dict[str, Any] = {}
        self._safely(self._begin)

    def drain(self) -> list[Event]:
        """What happened since the last call. Raises what went wrong in telling it."""
        if self._error is not None:
            raise self._error
        log, self._log = self._log, []
        return log

    def tell(
        self,
        kind: str,
        source: int | None = None,
        target: int | None = None,
        audience: int | None = None,
        **data: Any,
    ) -> None:
        """Tell one event; without an audience everybody saw it."""
        self._messages.clear()
        self._now()
        seen = self._everybody if audience is None else audience
        self._log.append(Event(kind, source, target, seen, data, self._day, self._phase))

    def before(self, player: int, action: str) -> None:
        """The rules are about to play this action."""
        if self._error is None:
            self._action = action
            self._safely(lambda: self._before_step(player, action))

    def after(self, player: int, action: str, *, refused: bool) -> None:
        """The rules have played it."""
        if self._error is None:
            self._safely(lambda: self._after(player, action, refused))

    def _begin(self) -> None:
        state = self._state
        self._facts.begin()
        for player, messages in sorted(state.observations.items()):
            for sender, said, kind in messages:
                self._message(sender, str(said), _name(kind), 1 << player)
        self._messages.clear()
        self._wrap(state, "add_observation", self._on_observation)
        for name in _RESULTS:
            if hasattr(state, name):
                self._wrap(state, name, getattr(self, f"_on_{name}"))
        if isinstance(state.game_state, dict):
            self._before = flat(state.game_state, self._facts.covered)

    def _before_step(self, player: int, action: str) -> None:
        self._now()
        self._at = (self._day, self._phase)
        self._stepping = True
        self._facts.before(player, action)

    def _after(self, player: int, action: str, refused: bool) -> None:
        # What the action did belongs to the round that it was made in, also when that is over.
        self._stepping = False
        self._frozen = self._facts.now() is None
        self._day, self._phase = self._at
        self._facts.after(player, action, refused)
        self._frozen = False
        self._facts.later()
        held, self._held = self._held, []
        self._log += held
        if isinstance(self._state.game_state, dict):
            now = flat(self._state.game_state, self._facts.covered)
            data = difference(self._before, now)
            self._before = now
            if data is not None:
                self.tell("change", audience=0, **data)
        if self._state.done and not self._ended:
            self._end_without_result()
        self._messages.clear()

    def _end_without_result(self) -> None:
        """An error has ended the game: the rewards say who has won."""
        rewards = self._state.rewards or {}
        reason = self._state.game_info.get(0, {}).get("reason", "")
        self._on_set_game_outcome(rewards, reason)

    def _now(self) -> None:
        if self._frozen:
            return
        told = self._facts.now()
        if told is not None:
            self._day, self._phase = told
            return
        game = self._state.game_state
        if isinstance(game, dict):
            self._day = next((game[d] for d in _DAYS if type(game.get(d)) is int), None)
            phase = game.get("phase")
            self._phase = phase.name if isinstance(phase, Enum) else phase and str(phase)[:40]

    def _wrap(self, of: Any, name: str, tell: Callable[..., None]) -> None:
        call = getattr(of, name)

        @wraps(call)
        def told(*arguments: Any, **named: Any) -> Any:
            if self._error is None:
                self._safely(lambda: tell(*arguments, **named))
            return call(*arguments, **named)

        setattr(of, name, told)

    def _on_observation(
        self, message: Any, observation_type: Any, from_id: int = _RULES, to_id: int = _EVERYBODY
    ) -> None:
        everybody = self._everybody if self._everybody is not None else 0
        seen = everybody if to_id == _EVERYBODY else audience_of([to_id]) or 0
        self._message(from_id, str(message), _name(observation_type), seen)

    def _message(self, sender: int, text: str, kind: str, seen: int) -> None:
        # The same words to one player after the other are one message.
        key = (sender, text, kind)
        at = self._messages.get(key)
        if at is not None:
            event = self._log[at]
            if event.audience is not None:
                self._log[at] = replace(event, audience=event.audience | seen)
            return
        data: dict[str, Any] = {"type": kind}
        if sender == _RULES and kind in _TOLD and len(text) <= _LONGEST_TEXT:
            data["text"] = text
        elif sender == _RULES or text != self._action:
            data["chars"] = len(text)
        self._messages[key] = len(self._log)
        self._now()
        source = None if sender == _RULES else sender
        audience = None if self._everybody is None else seen
        self._log.append(Event("message", source, None, audience, data, self._day, self._phase))

    def _on_set_winner(self, player_id: int, reason: Any = "") -> None:
        self._result([player_id], reason)

    def _on_set_winners(self, player_ids: Any, reason: Any = "") -> None:
        self._result(list(player_ids), reason)

    def _on_set_draw(self, reason: Any = "") -> None:
        self._result([], reason)

    def _on_set_game_outcome(self, reward_dict: Any, reason: Any = "") -> None:
        best = max(reward_dict.values(), default=0)
        first = [player for player, reward in reward_dict.items() if reward == best]
        self._result(first if len(first) < len(reward_dict) else [], reason)

    def _result(self, winners: list[int], reason: Any) -> None:
        self._ended = True
        told: dict[str, Any] = {"winners": sorted(winners), "reason": str(reason)[:_LONGEST_TEXT]}
        condition = self._facts.condition(winners)
        if condition is not None:
            told["condition"] = condition
        stepping = self._stepping
        self.tell("result", **told)
        if stepping:
            # Behind what the action did.
            self._held.append(self._log.pop())

    def _safely(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self._error = error


def _name(kind: Any) -> str:
    return str(getattr(kind, "name", kind))[:40]
