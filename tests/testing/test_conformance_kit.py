"""The kit passes an honest environment and catches each way of breaking a promise."""

from __future__ import annotations

import random

import pytest

from arena.core import (
    EnvironmentCrash,
    EnvironmentSpec,
    Event,
    Observation,
    Outcome,
    PlayerResult,
    Step,
    Termination,
    UsageError,
)
from arena.testing import (
    ConformanceError,
    check_crash,
    check_environment,
    check_events,
    check_interleaving,
)


class HighRoll:
    """Both players roll three times; the higher sum wins. `flaw` breaks one promise."""

    def __init__(self, flaw: str = "") -> None:
        self.spec = EnvironmentSpec("HighRoll-v0", 2, 2, "tests", "1")
        self._flaw = flaw

    def reset(self, *, seed: int, num_players: int) -> None:
        if num_players != 2 and self._flaw != "any number":
            raise UsageError("HighRoll-v0 is played by 2")
        self._rng = random.Random(None if self._flaw == "unseeded" else seed)
        if self._flaw == "seeds globally":
            random.seed(seed)
        self._sums = [0] * num_players
        self._turn = 0
        self._looked = 0

    def observe(self) -> Observation:
        self._looked += 1
        text = f"{self._sums} [roll]"
        if self._flaw == "consumed by looking":
            text += str(self._looked)
        new = "something else" if self._flaw == "foreign news" else text
        return Observation(self._turn % 2, self._turn, text, new)

    def prepare(self, action: str) -> str:
        if self._flaw == "impure":
            self._sums[0] += 1
            return f"{action}{self._sums[0]}"
        return action

    def step(self, action: str) -> Step:
        if self._flaw == "crash":
            try:
                return Step(done=bool(1 // 0))
            except ZeroDivisionError as error:
                raise EnvironmentCrash("it raised", "Traceback: 1 // 0") from error
        rng = random if self._flaw == "global" else self._rng
        self._sums[self._turn % 2] += rng.randrange(1_000_000)
        self._turn += 1
        return Step(done=self._turn == 6)

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        best = sorted(self._sums, reverse=True)
        ranks = [0, 0] if turn_limit else [best.index(s) for s in self._sums]
        winner = None if turn_limit else f"Player {ranks.index(0)}"
        if self._flaw == "no winner":
            winner = None
        players = tuple(PlayerResult(p, None, None, ranks[p], float(-ranks[p])) for p in (0, 1))
        if self._flaw == "a player short":
            players = players[:1]
        termination = Termination.TURN_LIMIT if turn_limit else Termination.NATURAL
        return Outcome(players, termination, "It is over.", winner)


def test_an_honest_environment_passes() -> None:
    check_environment(HighRoll)
    check_interleaving([HighRoll] * 5)


@pytest.mark.parametrize(
    ("flaw", "complaint"),
    [
        ("any number", "expected a UsageError"),
        ("unseeded", "played twice: turn 1 differs"),
        ("seeds globally", "global random state to be left alone"),
        ("global", "played twice"),
        ("consumed by looking", "observe to be idempotent"),
        ("foreign news", "what is new to be part of what is seen"),
        ("impure", "prepare to be pure"),
        ("no winner", "a winning team exactly when one finished first"),
        ("a player short", "every player"),
    ],
)
def test_a_broken_promise_is_caught(flaw: str, complaint: str) -> None:
    with pytest.raises(ConformanceError, match=complaint):
        check_environment(lambda: HighRoll(flaw))


def test_games_that_share_a_generator_differ_when_interleaved() -> None:
    with pytest.raises(ConformanceError, match="interleaved"):
        check_interleaving([Shared] * 3)


def test_a_crash_is_reported_as_one() -> None:
    crash = check_crash(lambda: HighRoll("crash"), num_players=2, action="roll")
    assert "1 // 0" in crash.traceback
    with pytest.raises(ConformanceError, match="expected an EnvironmentCrash"):
        check_crash(HighRoll, num_players=2, action="roll")


class Shared(HighRoll):
    """Seeds the global generator and draws from it: right alone, wrong among others."""

    def __init__(self) -> None:
        super().__init__("global")

    def reset(self, *, seed: int, num_players: int) -> None:
        super().reset(seed=seed, num_players=num_players)
        random.seed(seed)


class TellingRoll(HighRoll):
    """The same game, which tells its moves and its result, but for one flaw."""

    def reset(self, *, seed: int, num_players: int) -> None:
        super().reset(seed=seed, num_players=num_players)
        self._told: list[Event] = []

    def step(self, action: str) -> Step:
        player, turn = self._turn % 2, self._turn
        step = super().step(action)
        if self._flaw != "silence" or turn != 2:
            source = 1 - player if self._flaw == "somebody else" else player
            self._told.append(Event("message", source, data={"type": "PLAYER_ACTION"}))
        if (step.done and self._flaw != "no end") or (self._flaw == "too early" and turn == 1):
            outcome = self.outcome(turn_limit=False)
            first = [each.player_index for each in outcome.players if each.rank == 0]
            winners = [1 - first[0]] if self._flaw == "wrong winner" else first
            self._told += [Event("result", data={"winners": winners})] * (
                2 if self._flaw == "told twice" else 1
            )
        return step

    def events(self) -> list[Event]:
        late = 1 if self._flaw == "left behind" and len(self._told) == 2 else 0
        told, self._told = self._told[: len(self._told) - late], self._told[-1:] * late
        return told


def test_an_environment_that_tells_its_games_passes() -> None:
    check_events(TellingRoll, result=True)
    check_events(HighRoll)


@pytest.mark.parametrize(
    ("flaw", "complaint"),
    [
        ("silence", r"something in every turn, found nothing in \[2\]"),
        ("somebody else", "player 0 to be who acts"),
        ("no end", "a result of a game that is over"),
        ("too early", "one result, found 2"),
        ("told twice", "one result, found 2"),
        ("wrong winner", "the winners"),
        ("left behind", "every event to be told by the last turn"),
    ],
)
def test_what_is_told_wrongly_is_caught(flaw: str, complaint: str) -> None:
    with pytest.raises(ConformanceError, match=complaint):
        check_events(lambda: TellingRoll(flaw), result=True)
