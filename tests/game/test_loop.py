"""The game loop: the turn is committed before the environment moves, and faults are no results."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from arena.core import (
    Action,
    ArenaError,
    BudgetReached,
    CallAnswer,
    CallIntent,
    CallOptions,
    Completion,
    EnvironmentCrash,
    EnvironmentSpec,
    Message,
    Observation,
    Outcome,
    PlayerResult,
    ProviderError,
    RecordError,
    Step,
    Termination,
    TimeLimitReached,
    UsageError,
    VoidCause,
)
from arena.game.logs import Acted
from arena.game.loop import Finished, GameResult, Paused, PlayerConduct, Voided, play, turn_seed
from arena.game.rules import GuardedRules

SPEC = EnvironmentSpec("Countdown-v0", 2, 2, "tests", "1")


@dataclass
class Countdown:
    """Two players count down from three in turn; saying anything but a number is refused, and if
    that is `decisive`, it loses."""

    diary: list[str]
    crash_on: str = "crash"
    decisive: bool = False
    lost: bool = False
    reward: float = 0.0
    left: int = 3
    turn: int = 0
    spec: EnvironmentSpec = SPEC

    def reset(self, *, seed: int, num_players: int) -> None:
        self.diary.append(f"reset seed={seed} players={num_players}")

    def observe(self) -> Observation:
        text = f"{self.left} left"
        return Observation(self.turn % 2, self.turn, text, text)

    def prepare(self, action: str) -> str:
        return action.strip()

    def step(self, action: str) -> Step:
        self.diary.append(f"step {action}")
        if action == self.crash_on:
            raise EnvironmentCrash("boom", "Traceback: boom")
        self.turn += 1
        if not action.isdigit():
            self.lost = self.decisive
            return Step(done=self.lost, invalid=True)
        self.left -= 1
        return Step(done=self.left == 0)

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        winner = None if turn_limit else (self.turn - 1 + self.lost) % 2
        players = tuple(
            PlayerResult(i, None, None, int(i != winner), self.reward) for i in range(2)
        )
        ended = Termination.TURN_LIMIT if turn_limit else Termination.NATURAL
        ended = Termination.INVALID_ACTION if self.lost else ended
        return Outcome(players, ended, "counted", None)


@dataclass
class Diary:
    """A log that writes down what it is told, in the order it is told."""

    lines: list[str]
    fail_on: str = ""

    def turn(self, observation: Observation) -> DiaryTurn:
        self.lines.append(f"turn {observation.turn_number} player {observation.player_index}")
        return DiaryTurn(self)


@dataclass
class DiaryTurn:
    diary: Diary

    async def intend(self, intent: CallIntent) -> None: ...

    async def answer(self, answer: CallAnswer) -> None: ...

    async def acted(self, acted: Acted) -> None:
        if self.diary.fail_on and self.diary.fail_on in acted.action.text:
            raise RecordError("disk full")
        await asyncio.sleep(0)
        marked = f" ({acted.lapse})" if acted.lapse else ""
        self.diary.lines.append(f"commit {acted.action.text!r} as {acted.submitted!r}{marked}")

    def refused(self) -> None:
        self.diary.lines.append("refused")

    async def flush(self) -> None:
        self.diary.lines.append("flush")


@dataclass
class Says:
    """An agent that says its lines in order; an exception among them is raised."""

    lines: list[str | BaseException]
    seen: list[str] = field(default_factory=list)

    async def act(self, observation: Observation, llm: object) -> Action:
        self.seen.append(observation.text)
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return Action(line)


class NoLLM:
    last: Completion | None = None
    error: ArenaError | None = None

    def close(self) -> None: ...

    async def complete(
        self, messages: list[Message], options: CallOptions | None = None
    ) -> Completion:
        raise AssertionError("no model here")


def run(
    *scripts: list[str | BaseException],
    turn_limit: int = 20,
    crash_on: str = "crash",
    fail_on: str = "",
    decisive: bool = False,
    turns: int = 99,
    reward: float = 0.0,
) -> tuple[GameResult, list[str]]:
    diary: list[str] = []
    left = iter([True] * turns)
    game = Countdown(diary, crash_on=crash_on, decisive=decisive, reward=reward)
    rules = GuardedRules(lambda: game, num_players=2)
    result = asyncio.run(
        play(
            rules,
            [Says(lines) for lines in scripts],
            seed=7,
            llm=lambda observation, turn: NoLLM(),
            log=Diary(diary, fail_on),
            turn_limit=turn_limit,
            going=lambda: next(left, False),
        )
    )
    return result, diary


def test_a_game_is_played_turn_by_turn_and_committed_before_it_moves() -> None:
    result, diary = run(["1 ", "3"], ["2"])

    assert diary == [
        "reset seed=7 players=2",
        "turn 0 player 0",
        "commit '1 ' as '1'",
        "step 1",
        "turn 1 player 1",
        "commit '2' as '2'",
        "step 2",
        "turn 2 player 0",
        "commit '3' as '3'",
        "step 3",
    ]
    assert isinstance(result, Finished)
    assert result.turns == 3
    assert [player.rank for player in result.outcome.players] == [0, 1]


def test_a_refused_action_is_marked_after_the_step_and_the_game_goes_on() -> None:
    result, diary = run(["what?", "2"], ["1", "3"])

    assert isinstance(result, Finished)
    assert diary[2:5] == ["commit 'what?' as 'what?'", "step what?", "refused"]


def test_a_game_that_does_not_end_is_stopped_at_the_turn_limit() -> None:
    result, _ = run(["no"] * 9, ["no"] * 9, turn_limit=5)

    assert isinstance(result, Finished)
    assert result.turns == 5
    assert result.outcome.termination is Termination.TURN_LIMIT


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        (ProviderError("the model is down"), VoidCause.PROVIDER, "the model is down"),
        (ZeroDivisionError("division by zero"), VoidCause.AGENT, "ZeroDivisionError"),
        (asyncio.CancelledError(), VoidCause.AGENT, "awaited something that was cancelled"),
    ],
)
def test_a_fault_makes_the_game_void_and_nobody_loses(
    line: BaseException, cause: VoidCause, said: str
) -> None:
    result, diary = run(["1"], [line])

    assert isinstance(result, Voided)
    assert (result.cause, result.turns) == (cause, 1)
    assert said in result.error
    assert diary[-1] == "flush"


def test_an_environment_that_raises_makes_the_game_void_with_its_traceback() -> None:
    result, _ = run(["1"], ["2"], crash_on="2")

    assert result == Voided(VoidCause.ENVIRONMENT, "Traceback: boom", 1)


def test_a_reward_that_is_no_number_makes_the_game_void() -> None:
    result, _ = run(["1", "3"], ["2"], reward=float("nan"))

    assert isinstance(result, Voided)
    assert result.cause is VoidCause.ENVIRONMENT
    assert "player 0 the reward nan, which is no number" in result.error


def test_what_cannot_be_recorded_is_not_played() -> None:
    diary: list[str] = []
    with pytest.raises(RecordError, match="disk full"):
        asyncio.run(
            play(
                GuardedRules(lambda: Countdown(diary), num_players=2),
                [Says(["1"])] * 2,
                seed=7,
                llm=lambda observation, turn: NoLLM(),
                log=Diary(diary, fail_on="1"),
                turn_limit=9,
            )
        )
    assert "step 1" not in diary


def test_a_model_that_cannot_be_asked_at_all_stops_the_tournament() -> None:
    with pytest.raises(UsageError, match="NO_KEY"):
        run([UsageError("NO_KEY is not set")], [])


@pytest.mark.parametrize(
    ("line", "termination", "silences", "time_limits"),
    [
        ("what?", Termination.INVALID_ACTION, 0, 0),
        ("  ", Termination.SILENCE, 1, 0),
        (TimeLimitReached("too slow"), Termination.TIME_LIMIT, 0, 1),
    ],
)
def test_a_game_that_an_agents_own_error_decides_says_which(
    line: str | Exception, termination: Termination, silences: int, time_limits: int
) -> None:
    result, _ = run(["1"], [line], decisive=True)

    assert isinstance(result, Finished)
    assert result.outcome.termination is termination
    assert result.decided_by == 1
    assert [player.rank for player in result.outcome.players] == [0, 1]
    wrong = PlayerConduct(1, silences, 0, 0, time_limits, eliminated_turn=1)
    assert result.conduct == (PlayerConduct(turns=1), wrong)


def test_an_error_that_decides_nothing_is_counted_and_marked() -> None:
    result, diary = run(["", "2"], ["1", "3"])

    assert isinstance(result, Finished)
    assert result.outcome.termination is Termination.NATURAL
    assert result.decided_by is None
    assert result.conduct[0] == PlayerConduct(turns=2, silences=1)
    assert diary[2] == "commit '' as '' (silence)"


def test_a_game_is_stopped_between_two_turns() -> None:
    result, diary = run(["1", "3"], ["2"], turns=2)

    assert result == Paused(2)
    assert diary[-1] == "step 2"


def test_a_pause_keeps_what_was_taken_and_moves_nothing() -> None:
    reached = BudgetReached("nothing is left")
    result, diary = run(["1"], [reached])

    assert result == Paused(1, reached)
    assert diary[-2:] == ["turn 1 player 1", "flush"]


def test_turn_seeds_differ_by_game_and_turn_and_stay_what_they_are() -> None:
    assert (turn_seed(7, 0), turn_seed(7, 1)) == (859186594, 2074974806)
    assert len({turn_seed(game, turn) for game in range(50) for turn in range(50)}) == 2500
