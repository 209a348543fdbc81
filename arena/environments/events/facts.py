"""What a family of games brings to tell its own facts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Protocol


class Tell(Protocol):
    """Tells one event; without an audience everybody saw it."""

    def __call__(
        self,
        kind: str,
        source: int | None = None,
        target: int | None = None,
        audience: int | None = None,
        **data: Any,
    ) -> None: ...


Safely = Callable[[Callable[[], None]], None]
"""Runs a step of telling: what it raises ends the telling of events, never the game."""


class FamilyFacts:
    """The facts of a family that tells none: others override what they know.

    `covered` are keys of the state that need no `change` event, because the facts say the same.
    """

    covered: Collection[str] = ()

    def __init__(self, rules: Any, tell: Tell, safely: Safely) -> None:
        self.rules = rules
        self.state = rules.state
        self.tell = tell
        self._safely = safely

    @property
    def game(self) -> Any:
        """The state of the rules as it is now."""
        return self.state.game_state

    def begin(self) -> None:
        """The game has been reset."""

    def before(self, player: int, action: str) -> None:
        """The rules are about to play an action."""

    def after(self, player: int, action: str, refused: bool) -> None:
        """The rules have played it, or refused it."""

    def later(self) -> None:
        """Behind what the action did: what a new round begins with."""

    def now(self) -> tuple[int | None, str | None] | None:
        """The day and the phase; None to have them read from the state."""
        return None

    def condition(self, winners: Collection[int]) -> str | None:
        """How these players win, in the words of the game."""
        return None

    def hook(self, name: str, before: Callable[..., None]) -> None:
        """Call `before` with the arguments of a method of the rules, in front of it."""
        call = getattr(self.rules, name)

        @wraps(call)
        def hooked(*arguments: Any, **named: Any) -> Any:
            self._safely(lambda: before(*arguments, **named))
            return call(*arguments, **named)

        setattr(self.rules, name, hooked)

    def watched(self, items: dict[Any, Any], put: Callable[[Any, Any], None]) -> WatchedDict:
        """The same dictionary, which calls `put` with each key and value that is put into it."""
        return WatchedDict(items, lambda key, value: self._safely(lambda: put(key, value)))


class WatchedDict(dict[Any, Any]):
    """A dictionary of the rules that tells what is put into it. A copy is a plain one."""

    __slots__ = ("_put",)

    def __init__(self, items: dict[Any, Any], put: Callable[[Any, Any], None]) -> None:
        super().__init__(items)
        self._put = put

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._put(key, value)

    def __copy__(self) -> dict[Any, Any]:
        return dict(self)

    def __deepcopy__(self, memo: Any) -> dict[Any, Any]:
        from copy import deepcopy

        return {deepcopy(key, memo): deepcopy(value, memo) for key, value in self.items()}

    def __reduce__(self) -> Any:
        return (dict, (dict(self),))
