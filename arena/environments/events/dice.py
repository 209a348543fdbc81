"""Liar's Dice: rolls, bids, calls and who loses a die."""

from __future__ import annotations

from arena.core import audience_of
from arena.environments.events.facts import FamilyFacts


class LiarsDiceFacts(FamilyFacts):
    """The dice are rolled anew in the turn of a call, so they are counted before it."""

    covered = ("dice_rolls", "current_bid", "last_bidder_id")

    def begin(self) -> None:
        self._round = 1
        self.hook("_apply_die_loss", self._called)
        self._deal()

    def before(self, player: int, action: str) -> None:
        self._bid = dict(self.game["current_bid"])
        self._rolls = self.game["dice_rolls"]
        self._player = player

    def after(self, player: int, action: str, refused: bool) -> None:
        bid = self.game["current_bid"]
        if self.game["dice_rolls"] is self._rolls and bid != self._bid:
            self.tell("bid", player, amount=bid["quantity"], face=bid["face_value"])

    def later(self) -> None:
        if self.game["dice_rolls"] is not self._rolls:
            self._round += 1
            self._deal()

    def now(self) -> tuple[int | None, str | None]:
        return getattr(self, "_round", 1), None

    def _called(self, loser_id: int, message: str) -> None:
        face = self._bid["face_value"]
        actual = sum(dice.count(face) for dice in self._rolls.values())
        target = self.game["last_bidder_id"]
        self.tell("call", self._player, target, actual=actual, loser=loser_id)

    def _deal(self) -> None:
        for player, dice in self.game["dice_rolls"].items():
            if dice:
                self.tell("deal", None, player, audience_of([player]), cards=list(map(str, dice)))
