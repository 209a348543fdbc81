"""Poker of every kind: cards dealt, bets, calls and folds, showdowns and pots."""

from __future__ import annotations

import re
from typing import Any

from arena.core import audience_of
from arena.environments.events.facts import FamilyFacts

_MOVE = re.compile(r"\[(check|bet|fold|call|raise)\b[^\]]*\]", re.IGNORECASE)


class _Chips(FamilyFacts):
    """What a player puts in is the difference of its chips when the rules have taken the action; a
    new hand may have begun by then, so the action is told before that hand is dealt."""

    deal = ""  # the method of the rules that deals a hand
    won = ""  # the method that gives the pot away
    no_stake_is_no_bet = False

    def begin(self) -> None:
        self._acting: tuple[int, str] | None = None
        self._pot = 0.0
        self.hook(self.deal, self._new_hand)
        if self.won:
            self.hook(self.won, self._shown)
        self._deal()

    def before(self, player: int, action: str) -> None:
        found = _MOVE.search(action)
        self._acting = (player, found[1].lower()) if found else None
        self._pot = float(self.game["pot"] or 0)
        self._dealt = False

    def after(self, player: int, action: str, refused: bool) -> None:
        if not refused:
            self._moved()
        self._acting = None

    def later(self) -> None:
        if self._dealt and not self.state.done:
            self._deal()
        self._dealt = False

    def _new_hand(self, *arguments: Any, **named: Any) -> None:
        self._moved()
        self._dealt = True

    def _moved(self) -> None:
        if self._acting is None:
            return
        (player, move), self._acting = self._acting, None
        put = max(0.0, float(self.game["pot"] or 0) - self._pot)
        if not put and move in ("bet", "raise", "call") and self.no_stake_is_no_bet:
            # Refused, or there was nothing to call.
            if move == "call":
                self.tell("check", player)
        elif move in ("bet", "raise"):
            self.tell("bet", player, amount=put, how=move, pot=self._pot + put)
        elif move == "call":
            self.tell("call", player, amount=put, pot=self._pot + put)
        else:
            self.tell(move, player)

    def _shown(self, *arguments: Any, **named: Any) -> None:
        self._moved()

    def _deal(self) -> None:
        raise NotImplementedError


class PokerFacts(_Chips):
    """Texas Hold'em: the pot is given away when the hands are shown, or all others have folded."""

    deal = "_reset_round"
    won = "_handle_showdown"
    no_stake_is_no_bet = True
    covered = (
        "player_hands", "community_cards", "visible_community_cards", "folded_players",
        "all_in_players", "checked_players", "player_bets", "round_turn", "bet_round_complete",
    )  # fmt: skip

    def _deal(self) -> None:
        for player, hand in self.game["player_hands"].items():
            if self.state.is_player_alive(player):
                cards = list(map(_card, hand))
                self.tell("deal", None, player, audience_of([player]), cards=cards)
        for player, put in self.game["player_bets"].items():
            if put:
                self.tell("bet", player, amount=put, how="blind", pot=self.game["pot"])

    def _shown(self, *arguments: Any, **named: Any) -> None:
        self._moved()
        game = self.game
        players = range(self.state.num_players)
        left = [player for player in players if player not in game["folded_players"]]
        pot = game["pot"]
        if len(left) == 1:
            self.tell("pot", None, left[0], amount=pot)
            return
        hands = {str(p): list(map(_card, game["player_hands"][p])) for p in left}
        self.tell("showdown", hands=hands, board=list(map(_card, game["community_cards"])))
        scores = {
            p: self.rules._evaluate_hand(game["player_hands"][p] + game["community_cards"])
            for p in left
        }
        winners = [p for p in left if scores[p] == max(scores.values())]
        share = pot if len(winners) == 1 else pot // len(winners)
        for number, player in enumerate(winners):
            odd = pot - share * len(winners) if number == 0 else 0
            self.tell("pot", None, player, amount=share + odd)


class _TwoHands(_Chips):
    """Two players with a card each."""

    deal = "_init_round"
    covered = ("player_cards", "current_legal_action_tree", "prev_action", "second_check")

    def before(self, player: int, action: str) -> None:
        super().before(player, action)
        self._cards = dict(self.game["player_cards"])

    def _card_name(self, card: Any) -> str:
        return str(self.rules._rank_to_str(card))

    def _new_hand(self, *arguments: Any, **named: Any) -> None:
        acting = self._acting
        self._moved()
        self._dealt = True
        if acting is None:
            return
        player, move = acting
        pot = float(self.game["pot"] or 0)
        if move == "fold":
            self.tell("pot", None, 1 - player, amount=pot)
            return
        hands = {str(p): [self._card_name(card)] for p, card in self._cards.items()}
        self.tell("showdown", hands=hands)
        ranks = {p: self._rank(card) for p, card in self._cards.items()}
        if ranks[0] == ranks[1]:
            for p, amount in ((0, pot // 2), (1, pot - pot // 2)):
                self.tell("pot", None, p, amount=amount)
        else:
            self.tell("pot", None, 0 if ranks[0] > ranks[1] else 1, amount=pot)

    def _rank(self, card: Any) -> Any:
        return card


class KuhnPokerFacts(_TwoHands):
    """Three cards, one bet; each player sees its own card."""

    def _deal(self) -> None:
        for player, card in self.game["player_cards"].items():
            cards = [self._card_name(card)]
            self.tell("deal", None, player, audience_of([player]), cards=cards)


class IndianPokerFacts(_TwoHands):
    """Each player sees the other's card."""

    def _deal(self) -> None:
        for player, card in self.game["player_cards"].items():
            cards = [self._card_name(card)]
            self.tell("deal", None, player, audience_of([1 - player]), cards=cards)

    def _rank(self, card: Any) -> Any:
        return self.rules._rank(card)


def _card(card: Any) -> str:
    return f"{card['rank']}{card['suit']}"
