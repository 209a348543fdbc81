"""What a person may do: the one place that says which role an action asks for.

Without people with access nothing of this holds: pages are those of whoever started them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from db import Database, Repository
from db.errors import Busy, WriteFailed
from db.models import ROLES
from db.queries.requests import seated_in

LEAST_ROLE: Mapping[str, str] = {
    "read": "viewer",
    "annotate": "annotator",
    "play": "player",
    "approve": "operator",
}
"""The least role that an action asks for: a role includes those before it."""
_ACTIONS = {"/annotate": "annotate", "/play": "play"}
_WRONG_FROM_ONE = 10
_WRONG_FROM_ALL = 200
_WITHIN_S = 60.0
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a person with access, and the `seats`, the unfinished tournaments in which that
    person holds one."""

    name: str
    role: str
    seats: tuple[str, ...] = ()

    def may(self, action: str) -> bool:
        """Whether the role allows an action."""
        return ROLES.index(self.role) >= ROLES.index(LEAST_ROLE[action])


def action_of(path: str) -> str:
    """What asking for a path is."""
    return _ACTIONS.get("/" + path.lstrip("/").partition("/")[0], "read")


def too_little(visitor: Visitor, action: str) -> str:
    """What is said to a person whose role does not allow an action."""
    return (
        f"{visitor.name} has access as {visitor.role}, and this asks for {LEAST_ROLE[action]}: "
        "whoever started these pages gives it (`arena access`)"
    )


def refusal(visitor: Visitor, path: str) -> str | None:
    """Why a person may not ask for a path, None where it may. Who holds a seat sees nothing but
    what the seat observes: every other page could tell more."""
    action = action_of(path)
    if not visitor.may(action):
        return too_little(visitor, action)
    if action != "play" and visitor.seats:
        return (
            f"{visitor.name} holds a seat in {', '.join(visitor.seats)}: until that is over, /play "
            "is all there is to see, since other pages tell what a seat must not know"
        )
    return None


@dataclass(slots=True)
class WrongTokens:
    """Who gave wrong tokens lately: at most ten a minute from one address are looked at, and two
    hundred from all."""

    clock: Callable[[], float] = time.monotonic
    _given: deque[tuple[float, str]] = field(default_factory=deque)

    def too_many(self, address: str) -> bool:
        """Whether no token from this address is looked at for the moment."""
        while self._given and self._given[0][0] < self.clock() - _WITHIN_S:
            self._given.popleft()
        own = sum(given == address for _, given in self._given)
        return own >= _WRONG_FROM_ONE or len(self._given) >= _WRONG_FROM_ALL

    def add(self, address: str) -> None:
        """One more wrong token."""
        self._given.append((self.clock(), address))


@dataclass(frozen=True, slots=True)
class Access:
    """The people with access to a database, which is asked for every page: who is revoked is out
    at once. `database` is read, `writable` remembers when a token was used."""

    database: Database
    writable: Database
    wrong: WrongTokens = field(default_factory=WrongTokens)

    def given(self) -> bool:
        """Whether anybody has or had access by a token: who was the last one is told so too."""
        with self.database.session(create=False) as session:
            return Repository(session).has_access(ever=True)

    def visitor(self, token: str) -> Visitor | None:
        """Whose token this is; None for nobody's."""
        with self.database.session(create=False) as session:
            row = Repository(session).person_of_token(token)
            if row is None:
                return None
            seats = tuple(name for _, name in seated_in(session, row.name))
            visitor = Visitor(row.name, row.role, seats)
        self._used(visitor.name)
        return visitor

    def _used(self, name: str) -> None:
        try:
            with self.writable.brief_session(_PATIENCE_S) as session:
                Repository(session).use_access(name)
        except (Busy, WriteFailed):
            # It is known to the minute anyway.
            return
