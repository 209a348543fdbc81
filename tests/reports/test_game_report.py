"""What a game says, from its rows: players and outcomes, turns with what was odd, calls once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from arena.reports.calls import CallReport, SentMessage, answered_by
from arena.reports.game import PlayerReport, TurnReport, game_report, result_of
from arena.reports.narration import Announcement, Moved
from db.queries.games import GameRow, PlayerRow
from db.queries.transcript import CallRow, TurnRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def game(*ranks: int | None, winning_team: str | None = None, **changes: object) -> GameRow:
    fields: dict[str, object] = dict.fromkeys(GameRow.__dataclass_fields__)
    fields |= {
        "game_id": 3, "status": "completed", "attempt": 0, "environment_crashed": False,
        "winning_team": winning_team,
        "players": tuple(
            PlayerRow(index, index, f"agent-{index}", "k", "m", "p", None, None, rank, None, index)
            for index, rank in enumerate(ranks)
        ),
    }  # fmt: skip
    return GameRow(**(fields | changes))  # type: ignore[arg-type]


def call(turn: int, player: int, **changes: object) -> CallRow:
    fields: dict[str, object] = dict.fromkeys(CallRow.__dataclass_fields__)
    fields |= {
        "game_id": 3, "turn_number": turn, "player_index": player, "call_number": 0, "attempt": 0,
        "model_asked": "openai/x", "text": "[1]", "messages": [], "cached": False,
    }  # fmt: skip
    return CallRow(**(fields | changes))  # type: ignore[arg-type]


def turn(number: int, player: int, *calls: CallRow, **changes: object) -> TurnRow:
    fields: dict[str, object] = {
        "game_id": 3, "turn_number": number, "player_index": player, "observation": "old new",
        "new": "new", "action": "[1]", "submitted": "[1]", "invalid": False, "observed_at": NOON,
        "acted_at": NOON, "response_time_ms": 12.0, "tokens_used": None, "calls": calls,
    }  # fmt: skip
    return TurnRow(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ranks", "outcomes"),
    [
        ((0, 1), ["won", "lost"]),
        ((0, 0), ["drew", "drew"]),
        ((2, 0, 1), ["place 3", "won", "place 2"]),
        ((0, 1, 1), ["won", "lost", "lost"]),
        ((None, 0), [None, "drew"]),
    ],
    ids=str,
)
def test_an_outcome_follows_from_all_ranks(
    ranks: tuple[int | None, ...], outcomes: list[str | None]
) -> None:
    report = game_report(game(*ranks))

    assert [report.outcome(player) for player in report.players] == outcomes


def test_a_player_who_won_alone_is_named_by_its_agent() -> None:
    assert game_report(game(0, 1, winning_team="Player 0")).winner() == "Player 0 agent-0"
    assert game_report(game(0, 1, winning_team="Village")).winner() == "Village"
    assert game_report(game(0, 0)).winner() is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (game(1, 0, winning_team="Player 1"), "agent-1"),
        (game(0, 0, 1, winning_team="Village"), "Village"),
        (game(0, 0), "draw"),
        (game(0, 1, 0), "shared by agent-0, agent-2"),
        (game(status="void", void_cause="provider"), "provider"),
        (game(status="running"), ""),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_result_names_who_won(row: GameRow, said: str) -> None:
    assert result_of(row) == said


def test_an_agent_that_won_in_one_of_its_seats_is_named_with_the_place() -> None:
    seats = [replace(seat, agent="Ann") for seat in game(1, 0, 1).players]
    assert result_of(game(players=tuple(seats), winning_team="Player 1")) == "Ann (Player 1)"
    assert result_of(game(players=tuple(replace(seat, rank=None) for seat in seats))) == "no result"


def test_turns_say_what_was_odd_about_their_calls() -> None:
    report = game_report(
        game(0, 1, parent_game_id=2, parent_turn=1),
        [
            turn(0, 0, call(0, 0, cost=0.1), call(0, 0, error_class="Orphaned", text=None)),
            turn(1, 1, call(1, 1, cost=0.2, cached=True), invalid=True, lapse="overlong"),
            turn(2, 0, action=None, submitted=None, response_time_ms=None),
        ],
    )

    assert report.players[1] == PlayerReport(1, "agent-1", rank=1, invalid_actions=1)
    assert report.turns == [
        TurnReport(
            0, 0, "new", "[1]", "[1]", time_ms=12.0, failed_calls=1, lost_calls=1,
            number_of_calls=2, cost=0.1,
        ),
        TurnReport(
            1, 1, "new", "[1]", "[1]", True, "overlong", time_ms=12.0, cached=True,
            number_of_calls=1, cost=0.2,
        ),
        TurnReport(2, 0, "new", None),
    ]  # fmt: skip
    assert (report.number_of_calls, report.cost, report.parent) == (3, 0.1 + 0.2, (2, 1))


def test_why_an_overlong_turn_said_nothing() -> None:
    empty = {"action": "", "lapse": "overlong"}
    refused = call(1, 1, text=None, error_class="ContextOverflow")
    report = game_report(
        game(0, 1),
        [
            turn(0, 0, call(0, 0, text="<think>hm"), **empty),
            turn(1, 1, refused, **empty),
            turn(2, 0, **empty),
            turn(3, 1, action="too much", lapse="overlong"),
        ],
    )
    told = [(one.cut, one.too_long) for one in report.turns]
    assert told == [(True, False), (False, True), (False, True), (False, False)]


def test_what_a_player_was_sent_before_is_only_named() -> None:
    system = {"role": "system", "content": "Win."}
    asked = [system, {"role": "user", "content": "old new"}]
    failed = call(
        2, 0, messages=[*asked, "raw"], text=None, error_class="RateLimitError", error_status=429
    )
    report = game_report(
        game(0, 1),
        [turn(0, 0, call(0, 0, messages=asked)), turn(2, 0, failed)],
        with_calls=True,
    )

    first, second = ([*one.calls] for one in report.turns)
    seen = SentMessage("user", "old new", known=4, observation=True)
    assert first == [
        CallReport("openai/x", 0, 0, [SentMessage("system", "Win."), seen], "[1]", shared=0.0)
    ]
    assert second[0].messages == [
        SentMessage("system", "Win.", known=4), seen, SentMessage("?", "raw"),
    ]  # fmt: skip
    assert [message.new for message in second[0].messages] == ["", "new", "raw"]
    assert second[0].failure == "rate limit"
    assert "Lower the concurrency" in (second[0].advice or "")
    assert (second[0].answer, second[0].error) == (None, "RateLimitError 429: ")
    assert second[0].shared is None, "what failed is in no cache"


def test_who_answered_is_told_where_it_says_more_than_was_asked() -> None:
    def told(answered: str | None, **response: object) -> str | None:
        return answered_by("openai/gpt-4o", answered, response)

    assert told(None) is told("gpt-4o") is None
    assert told("gpt-4o-2024-08-06", region="Sweden Central", system_fingerprint="fp_1") == (
        "gpt-4o-2024-08-06 · in Sweden Central · fingerprint fp_1"
    )
    assert told("gpt-4o", provider="Azure", service_tier="flex") == "at Azure · flex"


def test_the_story_refers_to_the_turns() -> None:
    report = game_report(game(0, 1), [turn(0, 0, new="\n[GAME] Day breaks.")])

    assert report.story() == [
        Announcement("Day breaks.", frozenset({0}), opening=True), Moved(0),
    ]  # fmt: skip
