"""Secret Mafia: speeches, votes, what is done by night, who is out and why."""

from __future__ import annotations

from collections.abc import Collection

from arena.core import audience_of
from arena.environments.events.facts import FamilyFacts

_CAUSES = (("by vote", "vote"), ("during the night", "night"), ("invalid move", "error"))


class SecretMafiaFacts(FamilyFacts):
    """A vote is told when it is put into the rules' own dictionary, which is emptied in the turn of
    the last one; the Doctor's and the Detective's choices are in no state, so the rules' own parser
    is asked where they read them."""

    covered = (
        "phase", "day_number", "alive_players", "player_roles", "num_discussion_rounds", "votes",
        "pending_elimination",
    )  # fmt: skip

    def begin(self) -> None:
        self._day = 1
        self.game["votes"] = self.watched(self.game["votes"], self._vote)
        self.hook("_handle_doctor_action", self._protect)
        self.hook("_handle_detective_action", self._investigate)
        self.hook("_eliminate_player", self._eliminate)
        self.hook("_send_phase_prompts", self._next_phase)
        self._tell_phase()

    def before(self, player: int, action: str) -> None:
        if self.rules.phase.name == "DAY_DISCUSSION":
            self.tell("speech", player)

    def now(self) -> tuple[int | None, str | None]:
        return getattr(self, "_day", 1), self.rules.phase.value

    def condition(self, winners: Collection[int]) -> str:
        mafia = any(self.rules.player_roles[player] == "Mafia" for player in winners)
        return "parity" if mafia else "all Mafia are out"

    def _next_phase(self) -> None:
        if self.rules.phase.name == "NIGHT_MAFIA":
            self._day += 1
        self._tell_phase()

    def _tell_phase(self) -> None:
        roles = {"NIGHT_MAFIA": "Mafia", "NIGHT_DOCTOR": "Doctor", "NIGHT_DETECTIVE": "Detective"}
        role = roles.get(self.rules.phase.name)
        self.tell("phase", audience=None if role is None else self._alive(role))

    def _vote(self, player: int, target: int) -> None:
        if self.rules.phase.name == "NIGHT_MAFIA":
            self.tell("kill_choice", player, target, self._alive("Mafia"))
        else:
            self.tell("vote", player, target)

    def _protect(self, pid: int, action: str) -> None:
        target = self._parse(action)
        if target in self.game["alive_players"]:
            saved = target == self.game["pending_elimination"]
            self.tell("protect", pid, target, audience_of([pid]), saved=saved)
            if saved:
                self.tell("saved", pid, target, 0)

    def _investigate(self, pid: int, action: str) -> None:
        target = self._parse(action)
        if target in self.game["alive_players"]:
            mafia = self.rules.player_roles[target] == "Mafia"
            found = "Mafia" if mafia else "not Mafia"
            self.tell("investigate", pid, target, audience_of([pid]), found=found)

    def _eliminate(self, pid: int, reason: str) -> None:
        if pid in self.game["alive_players"]:
            cause = next((cause for words, cause in _CAUSES if words in reason), reason)
            role, team = self.rules.player_roles[pid], self.rules.roles[pid].team
            self.tell("eliminate", target=pid, cause=cause, role=role, team=team)

    def _alive(self, role: str) -> int | None:
        roles = self.rules.player_roles
        return audience_of(p for p in self.game["alive_players"] if roles[p] == role)

    def _parse(self, action: str) -> int | None:
        found = self.rules.voting_pattern.search(action)
        return int(found[1]) if found else None
