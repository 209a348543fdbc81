"""One cap: what is spent of it, what is set aside, and what a command may hold of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

# Counted in whole trillionths of a dollar (a token costs 10^4 of them or more): sums are exact.
UNIT = 10**12

# Where less than so many worst cases are left, the first call to a model is sent alone.
_PLENTY = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a cap, in units (`UNIT` a dollar): `held` is spent and set aside already,
    `share` what may be held without asking; `more` is needed beyond `held`. `cap` is None where
    there is none."""

    held: int
    share: int
    more: int
    cap: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """What a command may hold of a cap, and what all others hold or have spent, in units."""

    held: int
    others: int


class CapPool(Protocol):
    """Caps that several commands spend from (`arena.orchestrator.shared_budget`)."""

    async def draw(self, wanted: Mapping[str | None, Wanted]) -> Mapping[str | None, Share]:
        """A share of each cap, by model; None is the cap over all of them."""
        ...


@dataclass(slots=True)
class Purse:
    """One cap, in units: `key` is the model that it holds for, or None for all of them. `share` is
    what may be held of it without asking, `others` what other commands hold; `own` says that the
    cap is this command's alone, `seen` that an answer was paid for."""

    key: str | None
    cap: int | None
    spent: int = 0
    reserved: int = 0
    share: int | None = None
    others: int = 0
    own: bool = False
    seen: bool = False

    def has_room(self, amount: int) -> bool:
        return self.fits(amount) and self.shared(amount)

    def fits(self, amount: int) -> bool:
        held = self.spent + self.reserved + amount
        return self.cap is None or held + self.others <= self.cap

    def shared(self, amount: int) -> bool:
        """Whether it fits into the share."""
        return self.share is None or self.spent + self.reserved + amount <= self.share

    def plenty(self, amount: int) -> bool:
        """Whether there is much more left than a call can cost."""
        return self.fits(amount * _PLENTY)

    def can_have_room(self, amount: int) -> bool:
        """Whether it would fit if everything set aside came back unspent."""
        return self.cap is None or self.spent + self.others + amount <= self.cap

    def wanted(self, amount: int) -> Wanted:
        held = self.spent + self.reserved
        return Wanted(held, self.share or 0, amount, self.cap)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a cap stands, in dollars; `cap` and `left` are None where there is none. What other
    commands spend from it counts as `spent`."""

    cap: float | None
    spent: float
    reserved: float
    left: float | None


def account_of(purse: Purse) -> Account:
    """Where it stands, in dollars."""
    spent = purse.spent + purse.others
    left = None if purse.cap is None else (purse.cap - spent - purse.reserved) / UNIT
    cap = None if purse.cap is None else purse.cap / UNIT
    return Account(cap, spent / UNIT, purse.reserved / UNIT, left)
