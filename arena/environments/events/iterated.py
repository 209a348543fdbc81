"""Games in rounds: what each player decides, and what the round pays; Colonel Blotto's armies."""

from __future__ import annotations

from typing import Any

from arena.core import audience_of
from arena.environments.events.facts import FamilyFacts

_DECISIONS = (
    "decisions", "pending_decisions", "pending_contributions", "moves", "guesses", "pending_bids",
)  # fmt: skip
_SCORES = (
    "scores", "total_scores", "points", "player_scores", "player_totals", "player_prestige",
    "total_payoff",
)  # fmt: skip


class IteratedFacts(FamilyFacts):
    """The last decision of a round is cleared in its own turn, so decisions are told when they are
    put into the rules' dictionary; of a new dictionary, the next turn watches it. Nobody is shown a
    decision before the round is over, but the player itself."""

    kind = "decision"

    def begin(self) -> None:
        game = self.game
        self._scores = next((name for name in _SCORES if isinstance(game.get(name), dict)), None)
        pending = [name for name in _DECISIONS if isinstance(game.get(name), dict)]
        # Where decisions are pending first, the other dictionary repeats them.
        hidden = [name for name in pending if name.startswith("pending_")]
        self._decisions = (hidden or pending)[:1]
        self.covered = (*pending, *([self._scores] if self._scores else []), "history")
        self._before = self._totals()

    def before(self, player: int, action: str) -> None:
        if self.game.get("phase") == "conversation":
            self.tell("speech", player)
        for name in self._decisions:
            decisions = self.game[name]
            if type(decisions) is dict:
                nested = {key: each for key, each in decisions.items() if type(each) is dict}
                for of, each in nested.items():
                    decisions[of] = self.watched(each, self._about(of))
                self.game[name] = self.watched(decisions, self._decide)

    def after(self, player: int, action: str, refused: bool) -> None:
        totals = self._totals()
        if totals != self._before:
            for paid, total in totals.items():
                amount = total - self._before.get(paid, 0)
                self.tell("payoff", None, paid, amount=amount, total=total)
        self._before = totals

    def _about(self, player: Any) -> Any:
        return lambda target, choice: self._decide(player, choice, target)

    def _decide(self, player: Any, choice: Any, target: int | None = None) -> None:
        if isinstance(choice, str | int | float) and type(player) is int:
            own = audience_of([player])
            if self.kind == "bid":
                self.tell("bid", player, None, own, amount=choice)
            else:
                self.tell("decision", player, target, own, choice=choice)

    def _totals(self) -> dict[int, float]:
        scores = self.game.get(self._scores) if self._scores else None
        return {
            player: total
            for player, total in (scores or {}).items()
            if type(player) is int and isinstance(total, int | float)
        }


class BidsFacts(IteratedFacts):
    """Sealed bids for prizes."""

    kind = "bid"


class ColonelBlottoFacts(IteratedFacts):
    """Both armies are cleared in the turn in which the second is placed: the rules' own parser is
    asked for what an action places."""

    def begin(self) -> None:
        super().begin()
        self.covered = (*self.covered, "fields", "player_states")

    def after(self, player: int, action: str, refused: bool) -> None:
        units = None if refused else self.rules._parse_allocation_input(action)
        if units is not None:
            self.tell("allocate", player, None, audience_of([player]), units=units)
        super().after(player, action, refused)


class SimpleBlindAuctionFacts(FamilyFacts):
    """A sealed bid for each item, and talk before."""

    covered = ("player_bids",)

    def begin(self) -> None:
        self._before = self._bids()

    def before(self, player: int, action: str) -> None:
        if self.game["phase"] == "conversation":
            self.tell("speech", player)

    def after(self, player: int, action: str, refused: bool) -> None:
        bids = self._bids()
        for (bidder, item), amount in bids.items():
            if self._before.get((bidder, item)) != amount:
                name = str(self.game["item_names"][item])[:80]
                self.tell("bid", bidder, None, audience_of([bidder]), amount=amount, item=name)
        self._before = bids

    def _bids(self) -> dict[tuple[int, int], float]:
        return {
            (player, item): amount
            for player, bids in self.game["player_bids"].items()
            for item, amount in bids.items()
        }
