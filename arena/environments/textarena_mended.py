"""Rules of TextArena with their faults mended, for the twins whose names end in `-mended`.

Each overrides the few methods that are wrong and leaves the rest, words included, to the package;
what was wrong stands in `textarena_faults`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from textarena.envs.HighSociety.env import HighSocietyEnv
from textarena.envs.IndianPoker.env import IndianPokerEnv
from textarena.envs.KuhnPoker.env import KuhnPokerEnv
from textarena.envs.MarketEntryGame.env import MarketEntryGameEnv
from textarena.envs.PublicGoodsGame.env import PublicGoodsGameEnv
from textarena.envs.SecretMafia.env import Phase, SecretMafiaEnv, VoteHandler

# As KuhnPokerEnv.step reads an action.
_MOVE = re.compile(r"\[(check|bet|fold|call)\]", re.IGNORECASE)


class MendedKuhnPoker(KuhnPokerEnv):  # type: ignore[misc]
    """A bet and a call put a chip into the pot; after the last round no other is dealt."""

    def step(self, action: str) -> Any:
        game = self.state.game_state
        found = _MOVE.search(action)
        move = found[1].lower() if found else ""
        if move in ("bet", "call") and move in game["current_legal_action_tree"]:
            game["player_chips"][self.state.current_player_id] -= 1
            game["pot"] += 1
        return super().step(action)

    def _init_round(self) -> None:
        game = self.state.game_state
        if game["current_round"] < self.max_rounds:
            super()._init_round()
            return
        chips = game["player_chips"]
        if chips[0] == chips[1]:
            self.state.set_draw(
                reason=f"At the end of {self.max_rounds} rounds, both players had the same number "
                "of chips."
            )
        else:
            winner = 0 if chips[0] > chips[1] else 1
            self.state.set_winner(
                player_id=winner,
                reason=f"Player {winner} won by having more chips at the end of all "
                f"{self.max_rounds} rounds.",
            )


class MendedIndianPoker(IndianPokerEnv):  # type: ignore[misc]
    """Every round begins anew: one check does not end it because two ended another. Who cannot pay
    for a round has lost."""

    def _init_round(self) -> None:
        game = self.state.game_state
        game["second_check"] = False
        if min(game["player_chips"].values()) < self.ante:
            game["current_round"] = self.max_rounds
        super()._init_round()


class MendedHighSociety(HighSocietyEnv):  # type: ignore[misc]
    """Who has the most of prestige and remaining cash together wins."""

    def _end_match(self) -> None:
        game = self.state.game_state
        for player, cards in game["player_money"].items():
            game["player_prestige"][player] += sum(cards)
        super()._end_match()


class _TurnPassesOn:
    """Who is thrown out for an error does not act again: the turn goes to the next player."""

    state: Any

    def reset(self, num_players: int, seed: int | None = None) -> None:
        super().reset(num_players, seed)  # type: ignore[misc]
        state = self.state
        refuse = state.set_invalid_move

        def refuse_and_pass_on(reason: str) -> bool:
            thrown_out = bool(refuse(reason))
            if thrown_out:
                state.made_invalid_move = False
            return thrown_out

        state.set_invalid_move = refuse_and_pass_on


class MendedMarketEntryGame(_TurnPassesOn, MarketEntryGameEnv):  # type: ignore[misc]
    """The turn passes on."""


class MendedPublicGoodsGame(_TurnPassesOn, PublicGoodsGameEnv):  # type: ignore[misc]
    """The turn passes on."""


class MendedSecretMafia(SecretMafiaEnv):  # type: ignore[misc]
    """The victim of a night dies with nobody left to wake after the Mafia, nobody chooses the dead
    or who was not offered, and a game that is over stays as it ended."""

    def step(self, action: str) -> Any:
        if VoteHandler.parse(action) in self._not_offered():
            action = ""  # refused, as every choice of nobody is
        return super().step(action)

    def _not_offered(self) -> list[int]:
        me = self.state.current_player_id
        match self.phase:
            case Phase.NIGHT_MAFIA:
                return [player for player, role in self.player_roles.items() if role == "Mafia"]
            case Phase.NIGHT_DOCTOR | Phase.NIGHT_DETECTIVE:
                return [me]
            case _:
                return []

    def _after_player_action(self) -> None:
        if not self.state.done:
            super()._after_player_action()

    def _store_mafia_target(self) -> None:
        super()._store_mafia_target()
        if self._compute_next_phase() is Phase.DAY_DISCUSSION:
            self._resolve_night_outcome()

    def _eliminate_player(self, pid: int, reason: str) -> None:
        super()._eliminate_player(pid, reason)
        game = self.state.game_state
        for voter in [voter for voter, target in game["votes"].items() if target == pid]:
            del game["votes"][voter]
        if game["pending_elimination"] == pid:
            game["pending_elimination"] = None


RULES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "HighSociety": MendedHighSociety,
        "IndianPoker": MendedIndianPoker,
        "KuhnPoker": MendedKuhnPoker,
        "MarketEntryGame": MendedMarketEntryGame,
        "PublicGoodsGame": MendedPublicGoodsGame,
        "SecretMafia": MendedSecretMafia,
    }
)
"""The mended rules by family."""
