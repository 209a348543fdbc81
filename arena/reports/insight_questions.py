"""What is looked for in the games on record: each question with its words and its trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.queries import trial_texts
from db.queries.trial_texts import of_turns


@dataclass(frozen=True, slots=True)
class InsightQuestion:
    """A question: its `title`; what came `true` of its trials, as it stands behind "12 % "; with
    whom a part is compared (`others`); what a `part` is (agent, role, prompt, seat, phase, model or
    claim), and the `trials`. Where these are of whole games, `turns` is the condition on
    `game_turns` of the turns that show it. `why` says what may explain an answer."""

    name: str
    title: str
    true: str
    others: str
    part: str
    trials: tuple[str, str]
    why: str
    turns: str | None = None


_SAME_ROLE = "the other agents in the same roles"


def questions(error_classes: Sequence[str] = ()) -> list[InsightQuestion]:
    """Every question, one for each class of error among them."""
    failed = [
        InsightQuestion(
            f"failed-{name}",
            f"Calls that fail by {name}",
            f"of the calls to it fail by {name}",
            "calls to the other models",
            "model",
            trial_texts.failed_by(name),
            "A failed call is tried again; each costs time, some cost money.",
        )
        for name in error_classes
    ]
    return [*_QUESTIONS, *failed]


def _of_agents(
    name: str, title: str, true: str, column: str, why: str, turns: str
) -> InsightQuestion:
    return InsightQuestion(name, title, true, _SAME_ROLE, "agent", of_turns(column), why, turns)


_QUESTIONS = (
    InsightQuestion(
        "illegal-by-phase",
        "Illegal moves by phase",
        "of the turns in it are refused by the rules",
        "the other phases of the same game",
        "phase",
        trial_texts.PHASES,
        "Prompts may say too little about the form of a move in that phase.",
    ),
    _of_agents(
        "illegal-by-agent",
        "Illegal moves by agent",
        "of its turns are refused by the rules",
        "invalid_actions",
        "The rest of a game may hang on one refused move.",
        "d.invalid",
    ),
    InsightQuestion(
        "words-by-agent",
        "Votes against one's own words, by agent",
        "of its votes are for another player than those it spoke against that day",
        _SAME_ROLE,
        "agent",
        trial_texts.words("agent"),
        "Who was accused is read from text, which may be wrong.",
    ),
    InsightQuestion(
        "words-by-role",
        "Votes against one's own words, by role",
        "of its votes are for another player than those it spoke against that day",
        "the other roles",
        "role",
        trial_texts.words("role"),
        "Who was accused is read from text, which may be wrong.",
    ),
    InsightQuestion(
        "prompts-by-role",
        "Prompts that win or lose in one role",
        "of its games in this role are won",
        "other prompts of the same model, kind and role",
        "prompt",
        trial_texts.PROMPTS,
        "Opponents and partners differ: `arena compare` tests two agents against each other.",
    ),
    InsightQuestion(
        "seats",
        "Seats that win",
        "of the games from it are won",
        "the other seats in the same roles",
        "seat",
        trial_texts.SEATS,
        "Where seats are drawn by lot, the order of play is what differs.",
    ),
    InsightQuestion(
        "votes-by-agent",
        "Votes for the other team",
        "of its votes are for a player of another team",
        _SAME_ROLE,
        "agent",
        trial_texts.AIMED,
        "For those who do not know the teams this is how well they read the table.",
    ),
    InsightQuestion(
        "claims",
        "Claims that are believed",
        "of the others' votes that day are for who makes it",
        "such claims that are true",
        "claim",
        trial_texts.BELIEVED,
        "Claims are read from text, which may be wrong.",
    ),
    InsightQuestion(
        "failed-calls",
        "Calls that fail",
        "of the calls to it fail",
        "calls to the other models",
        "model",
        trial_texts.FAILED,
        "A failed call is tried again; each costs time, some cost money.",
    ),
    InsightQuestion(
        "cut-replies",
        "Replies cut by the token limit",
        "of its replies end at the token limit",
        "replies of the other models",
        "model",
        trial_texts.CUT,
        "What comes after the limit is lost, often the move itself: raise `max_tokens`.",
    ),
    InsightQuestion(
        "repeats",
        "Agents that repeat themselves",
        "of its longer texts are word for word what it said before in that game",
        _SAME_ROLE,
        "agent",
        trial_texts.REPEATED,
        "Texts of more than 40 characters are compared.",
        "LENGTH(d.action) > 40 AND EXISTS (SELECT 1 FROM game_turns b WHERE b.id < d.id "
        "AND b.game_id = d.game_id AND b.player_index = d.player_index AND b.action = d.action)",
    ),
    _of_agents(
        "refusals",
        "Refusals",
        "of its turns are refusals to play",
        "refusals",
        "A model that refuses loses the turn: the prompt may say that it is a game.",
        "d.lapse = 'refusal'",
    ),
    _of_agents(
        "silences",
        "Silence",
        "of its turns say nothing",
        "silences",
        "A reasoning model may use up its tokens before it answers.",
        "d.lapse = 'silence'",
    ),
    _of_agents(
        "overlong",
        "Overlong output",
        "of its turns are longer than may be",
        "overlongs",
        "What is too long is cut before the rules read it.",
        "d.lapse = 'overlong'",
    ),
    _of_agents(
        "time-limits",
        "Turns out of time",
        "of its turns run out of time",
        "time_limits",
        "A slow model, or a time limit that is too short for it.",
        "d.lapse = 'time_limit'",
    ),
    _of_agents(
        "malfunctions",
        "Malfunctions of programs",
        "of its turns the program crashed, hung or answered nonsense",
        "malfunctions",
        "A remote agent that fails by itself; `arena show GAME --calls` tells how.",
        "d.lapse = 'malfunction'",
    ),
    InsightQuestion(
        "decided-by-errors",
        "Games decided by an error of one's own",
        "of its games are decided by an error of its own",
        _SAME_ROLE,
        "agent",
        trial_texts.DECIDED,
        "`arena leaderboard --exclude-errors decided` rates without these games.",
    ),
)
