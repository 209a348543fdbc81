"""Events, votes and claims as frames, on both databases."""

from __future__ import annotations

import pytest

from arena.analysis import claims_df, events_df, votes_df
from arena.core import UsageError
from db import Repository, get_session
from db.writer.events import EventRow, EventsTold

ROLES = (("Detective", "Village"), ("Mafia", "Mafia"), ("Villager", "Village"))
READ = {"reader": "rules"}
EVENTS = (
    EventRow(None, 1, "Night", "phase", None, None, 2, {}),
    EventRow(4, 1, "Day", "claim", 0, None, 7, {"role": "Detective", **READ}),
    EventRow(5, 1, "Day", "claim", 1, None, 7, {"role": "Detective", **READ}),
    EventRow(5, 1, "Day", "claim", 1, 0, 7, {"team": "Mafia", "denies": True, **READ}),
    EventRow(5, 1, "Day", "accusation", 1, 2, 7, READ),
    EventRow(6, 1, "Day", "vote", 0, 1, 7, {}),
    EventRow(7, 1, "Day", "vote", 2, 0, 7, {}),
)


@pytest.fixture
def database(database_url: str) -> str:
    with get_session(database_url) as session:
        repo = Repository(session)
        kind, model = repo.create_kind("thinking"), repo.create_model("m", "scripted/random")
        prompt = repo.create_prompt("p", "You play.")
        agents = [
            repo.create_agent(kind.id or 0, model.id or 0, prompt.id or 0, name, options={"n": n})
            for n, name in enumerate(("Ann", "Bob", "Cy"))
        ]
        game = repo.create_game()
        for index, (agent, (role, team)) in enumerate(zip(agents, ROLES, strict=True)):
            player = repo.add_game_player(game.id or 0, agent.id or 0, index)
            player.role, player.team = role, team
        repo.replace_events(EventsTold(game.id or 0, 1, EVENTS))
    return database_url


def test_every_event_with_who_did_it_and_to_whom(database: str) -> None:
    frame = events_df(database)

    assert frame.kind.tolist() == [event.kind for event in EVENTS]
    assert frame.turn.fillna(-1).tolist() == [-1, 4, 5, 5, 5, 6, 7]
    vote = frame.iloc[5]
    assert (vote.agent, vote.role, vote.target_agent, vote.target_team) == (
        "Ann", "Detective", "Bob", "Mafia",
    )  # fmt: skip
    assert frame.data.tolist()[:2] == [None, {"role": "Detective", "reader": "rules"}]
    assert events_df(database, event="vote", agent="Cy").turn.tolist() == [7]
    assert str(events_df(database, event="trade").turn.dtype) == "Int64"
    with pytest.raises(UsageError, match="unknown kind of event 'dance'"):
        events_df(database, event="dance")


def test_votes_say_whether_they_are_for_another_team(database: str) -> None:
    votes = votes_df(database)
    assert votes.against.tolist() == [True, False]
    assert "data" not in votes.columns


def test_claims_are_held_against_what_is_true(database: str) -> None:
    claims = claims_df(database)

    assert claims.claimed.fillna("").tolist() == ["Detective", "Detective", "Mafia", ""]
    assert claims.denied.tolist() == [False, False, True, False]
    assert claims.true.tolist() == [True, False, True, True]
    assert set(claims.reader) == {"rules"}
