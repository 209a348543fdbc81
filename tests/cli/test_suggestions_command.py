"""A finding becomes a suggestion, is decided upon, tried, and measured by a comparison."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.analysis import suggestions_df
from db import Repository, get_session
from db.errors import BadSuggestion, DatabaseError
from db.models import Suggestion
from db.repository.rows import edited
from tests.cli.commands import Arena
from tests.servers.openai_server import OpenAIServer

CLUB = """\
name: club
environment: {{name: TicTacToe-v0, players: 2}}
games: 50
models:
  - {{name: good, litellm_model: openai/good, api_base: {url}, input_price: 0, output_price: 0}}
  - {{name: bad, litellm_model: openai/bad, api_base: {url}, input_price: 0, output_price: 0}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
agents:
  - {{name: Steady, model: good, prompt: plain}}
  - {{name: Hasty, model: bad, prompt: plain}}
"""


def answered(body: dict[str, Any]) -> str:
    """The good model plays legal moves, the bad one does not know the rules."""
    if body["model"] == "bad":
        return "I resign."
    rng = random.Random(body["messages"][-1]["content"])
    return registry.policy("random")(body["messages"], rng)


@pytest.mark.slow
def test_a_finding_is_kept_accepted_tried_measured_and_done(
    arena: Arena, tmp_path: Path, database_url: str
) -> None:
    def done(*command: str) -> str:
        result = arena(*command, "--db", database_url)
        assert result.exit_code == 0, result.stderr
        return " ".join((result.stdout if "--json" in command else result.stderr).split())

    def refused(*command: str) -> str:
        result = arena(*command, "--db", database_url)
        assert (result.exit_code, result.stdout) == (2, "")
        return " ".join(result.stderr.split())

    def listed(*options: str) -> list[dict[str, Any]]:
        found = json.loads(done("suggestions", "list", *options, "--json"))
        return list(found["suggestions"])

    with OpenAIServer(answered) as server:
        file = tmp_path / "club.yaml"
        file.write_text(CLUB.format(url=server.url))
        done("run", str(file))
        assert listed() == []
        assert "none is on record: `arena insights --save`" in done("suggestions", "list")
        assert "leave out --save" in refused("insights", "--save", "--sql", "seats")

        # Kept once, however often it is found.
        assert "0 refreshed, 0 unchanged" in done("insights", "--save")
        first = listed()
        again = done("insights", "--save")
        assert f"0 suggestions added, 0 refreshed, {len(first)} unchanged" in again
        assert listed() == first
        (found,) = (
            each for each in first if each["category"] == "Games decided by an error of one's own"
        )
        number, impact, seen = str(found["id"]), found["impact"], found["evidence"]
        assert (found["status"], seen["label"]) == ("open", "Steady")
        assert found["description"].startswith("Steady: 0.0 % of its games")
        assert (seen["games"], seen["looked_at"]) == (25, 50)
        assert 0 < impact <= abs(seen["difference"]) == 1
        assert done("show", str(seen["places"][0][0]), "--json")

        # Only what is accepted becomes done, and who said so is kept.
        edit = ("suggestions", "edit", number, "--as", "Ann", "--status")
        assert "it may become accepted or rejected, not done" in refused(*edit, "done")
        assert "expected open, accepted, rejected, done" in refused(*edit, "closed")
        done(*edit, "rejected", "--reason", "It knows no better.")
        assert f"suggestion {number} was rejected" in refused(
            "compare", "Steady", "Hasty", "--for-suggestion", number
        )
        done(*edit, "open")
        done(*edit, "accepted")
        assert f"suggestion {number} is accepted already" in refused(*edit, "accepted")

        # Games are added: what was decided upon stays, what is open is refreshed.
        done("run", str(file), "--set", "games=56")
        assert f"{len(first) - 1} refreshed, 1 unchanged" in done("insights", "--save")

        planned = arena(
            "compare", "Steady", "Hasty", "--for-suggestion", number, "--dry-run",
            "--db", database_url,
        )  # fmt: skip
        assert f"a dry run writes nothing beside suggestion {number}" in planned.stderr
        measured = arena(
            "compare", "Steady", "Hasty", "--for-suggestion", number, "--h0", "0.3", "--h1", "0.8",
            "--db", database_url,
        )  # fmt: skip
        assert measured.exit_code == 0, measured.stderr
        assert f"written beside suggestion {number}" in measured.stderr
        # Undecided is an effect, too.
        looked = arena(
            "compare", "Steady", "Hasty", "--played", "--for-suggestion", number,
            "--db", database_url,
        )  # fmt: skip
        assert looked.exit_code == 1
        assert f"written beside suggestion {number}" in looked.stderr
        done(*edit, "done")

    shown = json.loads(done("suggestions", "show", number, "--json"))["suggestion"]
    assert [(each["by"], each["before"], each["after"]) for each in shown["changes"]] == [
        ("Ann", "open", "rejected"), ("Ann", "rejected", "open"), ("Ann", "open", "accepted"),
        ("Ann", "accepted", "done"),
    ]  # fmt: skip
    assert shown["changes"][0]["reason"] == "It knows no better."
    assert shown["evidence"] == seen
    played, on_record = shown["effects"]
    assert (played["a"], played["b"]) == ("Steady", "Hasty")
    assert played["decided"]
    assert played["conclusion"] in measured.stdout
    assert played["low"] < played["estimate"] == 1.0
    assert on_record["comparison"].endswith("players: games on record")
    assert not on_record["decided"]

    frame = suggestions_df(database_url).set_index("suggestion_id").loc[int(number)]
    assert (frame["status"], frame["effect_estimate"]) == ("done", on_record["estimate"])
    assert frame["decided_by"] == "Ann"
    assert [each["id"] for each in listed("--status", "done")] == [int(number)]
    assert [*suggestions_df(database_url, status="done").suggestion_id] == [int(number)]

    assert "add --yes" in refused("suggestions", "delete", number)
    done("suggestions", "delete", number, "--yes")
    assert "there is no suggestion" in refused("suggestions", "show", number)
    # Found again, it is new.
    assert "1 suggestion added" in done("insights", "--save")


def test_the_table_refuses_what_the_commands_do(database_url: str) -> None:
    with get_session(database_url) as session:
        repo = Repository(session)
        assert repo.keep_suggestion("k", "Seats", "seat 0: …", 0.2, {"label": "x"}) == "added"
        assert repo.keep_suggestion("k", "Seats", "seat 0: …", 0.2, {"label": "x"}) == "unchanged"
        assert repo.keep_suggestion("k", "Seats", "seat 0: …", 0.3, {"label": "x"}) == "refreshed"
        (row,) = repo.get_suggestions()
        with pytest.raises(DatabaseError, match="cannot be changed"):
            edited(session, row, "the suggestion", status="lost")
        session.expire_all()
        with pytest.raises(DatabaseError, match="cannot be added"):
            repo.keep_suggestion("k2", "Seats", "seat 0: …", 1.5, {})
        with pytest.raises(BadSuggestion, match="reason has"):
            repo.set_suggestion_status(1, "accepted", "Ann", "long " * 500)
        with pytest.raises(BadSuggestion, match="there is no suggestion"):
            repo.get_suggestion_by_id(2**70)
        assert [row.status for row in repo.get_suggestions()] == ["open"]
    with get_session(database_url) as session:
        assert session.get(Suggestion, 1) is not None
