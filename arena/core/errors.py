"""What can go wrong, said to the person who reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

#   ArenaError                  finished, but something needs attention (exit 1)
#   ├── UsageError              a wrong command, name or value (exit 2)
#   │   ├── ConfigError         a wrong tournament file (exit 2)
#   │   └── PluginError         a plug-in that cannot be loaded, or broke its protocol (exit 2)
#   ├── ProviderError           a model could not be reached or would not answer: the game is void
#   │   └── ContextOverflow     the conversation is longer than the model's context
#   ├── Pause                   a game cannot continue now, and can later: it is resumed
#   │   ├── ModelParked         its model only fails at the moment
#   │   ├── ModelRefused        its model will not answer anybody until a person mends something
#   │   │   └── ModelUnproven   its model refused this call, and has answered no other
#   │   ├── BudgetReached       the next call might cost more than may be spent
#   │   └── Suspend             its agent waits for hours: a person, an approval
#   ├── EnvironmentCrash        the rules themselves raised
#   ├── WorkerLost              the process that played a game has ended: it resumes in another
#   ├── RecordError             the record could not be written: the tournament stops
#   └── DivergenceError         a replayed game differs from its record


class ArenaError(Exception):
    """An error for the person who reads it: printed without a traceback."""

    exit_code: ClassVar[int] = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel between processes; the default calls __init__ with the message alone.
        return _unpickled, (type(self), self.args), self.__dict__


def _unpickled(kind: type[ArenaError], args: tuple[Any, ...]) -> ArenaError:
    return kind.__new__(kind, *args)


class UsageError(ArenaError):
    """What was typed or configured cannot be done; nothing was started."""

    exit_code: ClassVar[int] = 2


class ConfigError(UsageError):
    """A tournament file is wrong; the message names the file and the line."""


class PluginError(UsageError):
    """A plug-in cannot be imported, is not what its group promises, or raised where its protocol
    lets it raise nothing; the message names it, its package and what it raised."""


class ProviderError(ArenaError):
    """A call failed for good: every attempt is on record, the game is void."""


class ContextOverflow(ProviderError):
    """The conversation is longer than what the model takes, in this turn and in those that follow.
    With `forfeit` the turn is the player's loss instead of the game's end."""

    def __init__(self, message: str, *, forfeit: bool = False) -> None:
        super().__init__(message)
        self.forfeit = forfeit


class Pause(ArenaError):
    """The game stops where it is and is resumed later; nothing is void."""


class ModelParked(Pause):
    """The model has only failed for a while; other models' games go on."""

    def __init__(self, model: str, message: str) -> None:
        super().__init__(message)
        self.model = model


class ModelRefused(Pause):
    """No game can do better until a person mends something: a key, an account, a model's name."""

    def __init__(self, model: str, message: str) -> None:
        super().__init__(message)
        self.model = model


class ModelUnproven(ModelRefused):
    """Its model refused the call as it is, and has not answered any, or none of late: more likely
    it refuses them all than this one."""


class BudgetReached(Pause):
    """The worst case of the next call does not fit into what is left of the budget: of one
    `model`, or of the whole tournament."""

    def __init__(self, message: str, model: str | None = None) -> None:
        super().__init__(message)
        self.model = model


class Suspend(Pause):
    """Raised by an agent that waits for longer than a run should: a person, an approval. The game
    resumes from its record in a later run, in which the agent is asked the same again."""


class TimeLimitReached(ArenaError):
    """The agent took longer for its turn than the rules give it: a result, not a fault."""


class EnvironmentCrash(ArenaError):
    """An environment raised: the game is void, never a loss. `traceback` keeps the text."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class RecordError(ArenaError):
    """The record could not be written: nothing moves on without it, the tournament stops."""


def _nothing_settled(dollars: float) -> None:
    """Where nothing was granted, nothing has to be settled."""


class WorkerLost(ArenaError):
    """The worker in which a game was played has ended: the game resumes from its record. It records
    as `worker`, if it does. What the record shows as in flight, in dollars, is told to `settle`."""

    def __init__(
        self, message: str, worker: str = "", settle: Callable[[float], None] = _nothing_settled
    ) -> None:
        super().__init__(message)
        self.worker = worker
        self.settle = settle


class DivergenceError(ArenaError):
    """A game played again differs from its record; the message says where it does first."""
