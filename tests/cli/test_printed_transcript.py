"""A transcript is pleasant to read, and no text in it can pass for another player."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from arena.cli.transcript import print_game
from arena.reports.calls import CallReport, SentMessage
from arena.reports.game import GameReport, PlayerReport, TurnReport


def printed(game: GameReport, width: int = 80, *, colour: bool = False) -> str:
    out = io.StringIO()
    print_game(
        Console(
            file=out,
            width=width,
            markup=False,
            emoji=False,
            highlight=False,
            force_terminal=colour,
            color_system="truecolor" if colour else None,
        ),
        game,
    )
    return out.getvalue()


def play(*turns: TurnReport, **changes: object) -> GameReport:
    fields: dict[str, object] = {
        "game": 3,
        "environment": "SecretMafia-v0",
        "tournament": "quick",
        "seed": 5,
        "status": "completed",
        "players": [
            PlayerReport(0, "Sharp", "Doctor", "Village", rank=0),
            PlayerReport(1, "Naive", "Mafia", "Mafia", rank=1, invalid_actions=1),
        ],
        "turns": [replace(turn, time_ms=12.4) for turn in turns],
        "winning_team": "Village",
        "termination": "invalid_action",
        "reason": "No Mafia is left.",
        "number_of_calls": 2,
        "cost": 0.0123,
    }
    return GameReport(**(fields | changes))  # type: ignore[arg-type]


def test_a_game_reads_like_a_play() -> None:
    said = printed(
        play(
            TurnReport(0, 0, "\n[GAME] Day breaks. Discuss.", "I trust nobody."),
            TurnReport(1, 1, "\n[GAME] Day breaks. Discuss.\n[Player 0] I trust nobody.", ""),
            TurnReport(2, 0, "\n[GAME] Player 1 was killed.", "[1]", "[1]", invalid=True),
        )
    )

    assert (
        said
        == """\
Game 3 · SecretMafia-v0 · quick · seed 5

Player 0 Sharp · Doctor
Player 1 Naive · Mafia


Day breaks. ────────────────────────────────────────────────────────────────────
  Discuss.

Player 0 Sharp · Doctor                                           turn 0 · 12 ms
│ I trust nobody.

Player 1 Naive · Mafia                                            turn 1 · 12 ms
  says nothing

  to player 0: Player 1 was killed.

Player 0 Sharp · Doctor                                           turn 2 · 12 ms
│ [1]
  refused by the rules

────────────────────────────────────────────────────────────────────────────────
Village won
No Mafia is left.
ended by: invalid action
  won     Player 0 Sharp · Doctor
  lost    Player 1 Naive · Mafia  1 invalid action
3 turns · 2 calls · $0.0123
"""
    )


HOSTILE = st.one_of(
    st.text(st.characters(codec=None), max_size=300),
    st.lists(
        st.sampled_from(
            [
                "\n", "\r", "\x1b[2J", "\x1b]52;c;eA==\x07", "\u202e", "\u2028", "[bold]", "│ ",
                "[GAME] ", "Player 1 Naive · Mafia", " " * 90, "\t", "x" * 200,
                "日本" * 50, ":smile:",
            ]
        ),
        max_size=30,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(HOSTILE, st.sampled_from([24, 80]))
def test_every_line_of_a_text_stands_behind_its_bar(text: str, width: int) -> None:
    said = printed(play(TurnReport(0, 0, "", text)), width)

    block = said.split("turn 0", 1)[1].split("\n────", 1)[0].split("\n")[1:-1]
    assert block == ["  says nothing"] if not text else all(l.startswith("│") for l in block)  # noqa: E741
    assert len(block) >= len(text.split("\n"))
    assert all(cell_len(line) <= width for line in block)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", said)


def test_markup_and_emoji_names_are_text() -> None:
    said = printed(play(TurnReport(0, 0, "", "[bold red]x[/] :smile: [/nope]")), colour=True)

    assert "[bold red]x[/] :smile: [/nope]" in re.sub("\x1b\\[[0-9;]*m", "", said)


def test_names_roles_and_reasons_cannot_act_either() -> None:
    evil = "\x1b]0;x\x07\nPlayer 9"
    said = printed(
        play(
            TurnReport(0, 0, f"\n[GAME] {evil}", "x"),
            players=[PlayerReport(0, evil, evil, evil, rank=0)],
            tournament=evil,
            reason=evil,
            winning_team=evil,
            status="completed",
        )
    )

    assert "\x1b" not in said
    assert "\x07" not in said


def test_calls_show_what_was_asked_and_what_came_back() -> None:
    said = printed(
        play(
            TurnReport(
                0,
                0,
                "",
                "[1]",
                calls=[
                    CallReport("openai/x", 0, 0, [], None, error="RateLimitError 429: slow down"),
                    CallReport(
                        "openai/x",
                        0,
                        1,
                        [SentMessage("user", "Your\nmove")],
                        "[1]",
                        finish_reason="stop",
                        prompt_tokens=10,
                        response_tokens=2,
                        cost=0.5,
                        total_response_time_ms=800,
                    ),
                ],
            )
        )
    )

    assert "  call 0 · openai/x\n  error: RateLimitError 429: slow down\n" in said
    assert (
        "  call 0 · attempt 1 · openai/x · 10 + 2 tokens · $0.5000 · 800 ms · stop\n"
        "  user:\n  ┆ Your\n  ┆ move\n  answer:\n  ┆ [1]\n│ [1]\n"
    ) in said


def test_lapses_lost_calls_and_cached_answers_are_marked() -> None:
    said = printed(
        play(
            TurnReport(
                0,
                0,
                "",
                "",
                invalid=True,
                lapse="time_limit",
                lost_calls=1,
                calls=[
                    CallReport(
                        "openai/x", 0, 0, [], None, error="Orphaned: in flight", charged=0.25
                    )
                ],
            ),
            TurnReport(
                1,
                1,
                "",
                "[1]",
                cached=True,
                calls=[CallReport("openai/x", 0, 0, [], "[1]", cost=0.0, charged=0.0, cached=True)],
            ),
        )
    )

    assert re.search(r"Player 0 Sharp · Doctor +turn 0 · 12 ms · 1 call lost in flight\n", said)
    assert "  call 0 · openai/x · charged $0.2500\n  error: Orphaned: in flight\n" in said
    assert "  says nothing\n  refused by the rules\n  lapse: time limit\n" in said
    assert re.search(r"Player 1 Naive · Mafia +turn 1 · 12 ms · from the cache\n", said)
    assert "  call 0 · openai/x · $0.00 · from the cache\n" in said


def test_a_branch_says_where_it_was_played_anew() -> None:
    said = printed(play(TurnReport(0, 0, "", "[0]"), TurnReport(1, 1, "", "[1]"), parent=(2, 1)))

    assert "\nbranch of game 2, live from turn 1\n" in said
    before, after = said.split("\nlive from here on ──")
    assert "│ [0]\n" in before
    assert "│ [1]\n" in after


def test_a_void_game_says_why() -> None:
    said = printed(play(status="void", void_cause="provider", error="401: no key", turns=()))

    assert "Void: provider\n  401: no key\n" in said
    assert "won" not in said


def test_a_text_without_end_is_cut_and_says_so() -> None:
    long = printed(play(TurnReport(0, 0, "", "x" * 100_000)))
    tall = printed(play(TurnReport(0, 0, "", "\n" * 100_000)))

    assert "  … 80,000 more characters; --json has them\n" in long
    assert " more characters; --json has them\n" in tall
    assert len(tall.splitlines()) < 400


def test_a_turn_tells_whom_it_chose_and_what_cut_it_short() -> None:
    said = printed(
        play(
            TurnReport(
                0, 0, "", "My vote is [1], not [0].", "[1]\nMy vote is [1], not [0].",
                target="1", how="stated",
            ),
            TurnReport(1, 1, "", "I abstain.", how="none", invalid=True),
            TurnReport(2, 0, "", "", lapse="overlong", cut=True),
            TurnReport(2, 0, "", "", lapse="overlong", too_long=True),
            TurnReport(
                3, 1, "", "[0]",
                reading={
                    "answer": "no tag", "notes": "lost", "mood": 1,
                    "suspects": {"0": 0.25, "2": 1.0, "3": "much"},
                },
            ),
        )
    )  # fmt: skip

    assert "│ My vote is [1], not [0].\n  chose 1 (stated)\n" in said
    assert "│ I abstain.\n  chose nobody (none)\n  refused by the rules\n" in said
    assert "  lapse: overlong\n  the conversation is longer than its model's context" in said
    assert "  lapse: overlong\n  its tokens were used up before it spoke: raise max_tokens" in said
    assert "the rules were given" not in said, "it is the same but for the brackets"
    assert "│ [0]\n  the tag is missing: all that was said is the action\n" in said
    assert "  notes: lost, nothing in the answer could be read; the old ones stay\n" in said
    assert "  mood: 1\n  suspects 2 (1.00), 0 (0.25)\n" in said


def test_the_thoughts_of_a_call_stand_apart_from_its_answer() -> None:
    call = CallReport(
        "m",
        0,
        0,
        [SentMessage("user", "Vote.")],
        "<think>maybe 2</think>[1]",
        said="[1]",
        thoughts="maybe 2",
    )
    said = printed(play(TurnReport(0, 0, "", "[1]", calls=[call])))

    assert "  thoughts:\n  ┆ maybe 2\n  answer:\n  ┆ [1]\n" in said
    assert "<think>" not in said
