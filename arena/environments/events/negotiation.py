"""Negotiations: who offers what to whom, who accepts, and what changes hands."""

from __future__ import annotations

from typing import Any

from arena.environments.events.facts import FamilyFacts


class SimpleNegotiationFacts(FamilyFacts):
    """Offers and trades are told from the rules' own history of them."""

    covered = ("trade_history", "current_offer")

    def before(self, player: int, action: str) -> None:
        self._past = len(self.game["trade_history"])
        self._offer = self.game["current_offer"]
        self.tell("speech", player)

    def after(self, player: int, action: str, refused: bool) -> None:
        new = self.game["trade_history"][self._past :]
        offer = self._offer
        accepted = [trade for trade in new if trade["outcome"] == "Accepted"]
        if accepted:
            maker = accepted[0]["from_player"]
            gives = dict(accepted[0]["offered_resources"])
            gets = dict(accepted[0]["requested_resources"])
            self.tell("accept", player, maker)
            self.tell("trade", maker, player, gives=gives, gets=gets)
        elif offer is not None and offer["to_player"] == player and not refused:
            self.tell("reject", player, offer["from_player"])
        for trade in new:
            if trade["outcome"] is None:
                self.tell(
                    "offer",
                    trade["from_player"],
                    trade["to_player"],
                    gives=dict(trade["offered_resources"]),
                    wants=dict(trade["requested_resources"]),
                )


class IteratedUltimatumGameFacts(FamilyFacts):
    """An offer of a part of the pool, accepted or rejected, and what the round pays."""

    covered = ("current_offer", "round_history", "player_totals", "phase")

    def before(self, player: int, action: str) -> None:
        self._offering = self.game["phase"] == "offering"
        self._past = len(self.game["round_history"])

    def after(self, player: int, action: str, refused: bool) -> None:
        offer = self.game["current_offer"]
        if self._offering and offer is not None and not refused:
            self.tell("offer", player, 1 - player, amount=offer)
        totals = self.game["player_totals"]
        for done in self.game["round_history"][self._past :]:
            accepted = done["decision"] == "Accept"
            self.tell("accept" if accepted else "reject", done["responder"], done["proposer"])
            for paid in ("proposer", "responder"):
                who, amount = done[paid], done[f"{paid}_gain"]
                self.tell("payoff", None, who, amount=amount, total=totals[who])


class TwoDollarFacts(FamilyFacts):
    """A sum to be split: what each proposes to keep."""

    covered = ("negotiation_history", "player_proposal_history", "current_proposal")

    def before(self, player: int, action: str) -> None:
        self._past = len(self.rules.negotiation_history)
        self.tell("speech", player)

    def after(self, player: int, action: str, refused: bool) -> None:
        for said in self.rules.negotiation_history[self._past :]:
            who = said["player_id"]
            if said["action_type"] == "propose":
                self.tell("offer", who, 1 - who, amount=said["amount"])
            elif said["action_type"] in ("accept", "reject"):
                self.tell(said["action_type"], who, 1 - who)


class NewRecruitFacts(FamilyFacts):
    """A contract of several issues: the terms that are proposed, in the rules' letters or names."""

    covered = ("current_proposal", "accepted_proposal", "proposal_history", "current_rationale")

    def before(self, player: int, action: str) -> None:
        self._past = len(self.game["proposal_history"])
        self._open = self.game["current_proposal"]
        self.tell("speech", player)

    def after(self, player: int, action: str, refused: bool) -> None:
        game = self.game
        for proposal in game["proposal_history"][self._past :]:
            self.tell("offer", player, 1 - player, terms=_terms(proposal["choices"]))
        if self._open is not None and not refused:
            if game["accepted_proposal"] is not None:
                self.tell("accept", player, 1 - player)
            elif "[reject]" in action.lower():
                self.tell("reject", player, 1 - player)


def _terms(proposal: Any) -> Any:
    if isinstance(proposal, dict):
        return {str(name)[:80]: str(value)[:200] for name, value in proposal.items()}
    return str(proposal)[:400]
