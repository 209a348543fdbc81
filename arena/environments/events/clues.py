"""Games of clues and guesses, and of telling the truth."""

from __future__ import annotations

import re

from arena.environments.events.facts import FamilyFacts

_GUESS = re.compile(r"\[(.*?)\]")
_FACT = re.compile(r"\[fact ([12])\]", re.IGNORECASE)


class TabooFacts(FamilyFacts):
    """A clue giver and guessers; the word changes in the turn of a right guess, so it is looked at
    before it."""

    covered = ("taboo_words", "team_word_pairs", "state_observed", "word_to_guess")

    def before(self, player: int, action: str) -> None:
        self._word = str(self.game["word_to_guess"])
        self._gives = self.state.role_mapping[player] == "Clue Giver"

    def after(self, player: int, action: str, refused: bool) -> None:
        if refused:
            return
        if self._gives:
            self.tell("clue", player, word=self._word[:80])
            return
        found = _GUESS.search(action)
        if found is not None:
            guess = found[1].strip()
            correct = guess.lower() == self._word.lower()
            self.tell("guess", player, guess=guess[:80], correct=correct)


class TruthAndDeceptionFacts(FamilyFacts):
    """Talk, then one guess which of two facts is true."""

    def before(self, player: int, action: str) -> None:
        self._guesses = self.state.turn >= self.state.max_turns - 1
        if not self._guesses:
            self.tell("speech", player)

    def after(self, player: int, action: str, refused: bool) -> None:
        found = _FACT.search(action) if self._guesses and not refused else None
        if found is not None:
            correct = bool(self.game[f"fact{found[1]}"]["is_correct"])
            self.tell("guess", player, guess=f"Fact {found[1]}", correct=correct)
