"""Training data: what was answered, by whom and how it ended; pairs only where the answer alone
tells two games apart."""

import json
from collections import defaultdict

import filled
import pyarrow.parquet as parquet
import pytest
from sqlmodel import select

from arena.analysis import calls_df, games_df, players_df
from arena.analysis.export import export_training
from arena.analysis.export.texts import original
from arena.core import UsageError
from db import get_session
from db.codec import Codec, answer_text
from db.models import CallPayload, LLMCall
from tests.cli.commands import TOURNAMENT, run_arena


def rows(folder, purpose):
    lines = (folder / f"{purpose}.jsonl").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


@pytest.fixture(scope="module")
def branched(tmp_path_factory):
    """Noughts and crosses by random players, a game branched at its second turn by others."""
    place = tmp_path_factory.mktemp("branched")
    (place / "small.yaml").write_text(TOURNAMENT)
    db = place / "arena.db"
    for command in (
        ["run", place / "small.yaml"],
        ["branch", "1", "--turn", "1", "--set", "0=Cy", "--times", "12"],
    ):
        done = run_arena(*command, "--db", db)
        assert done.exit_code == 0, done.stderr
    return str(db)


def test_sft_is_the_conversation_with_the_answer_as_its_last_message(database, tmp_path):
    export_training(tmp_path / "out", database, purpose="sft")
    found = rows(tmp_path / "out", "sft")
    # Game 1 was answered in seven turns of eight, after one failure; games 2 and 6 once each. What
    # was answered in a void game, and in one that runs, is not there.
    assert [row["game_id"] for row in found] == [1] * 7 + [2, 6]
    first = found[0]
    assert first["messages"] == [
        *filled.sent(1, 0),
        {"role": "assistant", "content": "answer 0"},
    ]
    assert (first["agent"], first["role"], first["team"]) == ("ann", "Doctor", "Village")
    assert (first["result"], first["score"], first["reward"]) == ("win", 1.0, 1.0)
    assert (first["seed"], first["block"], first["termination"]) == (2**62, 0, "natural")
    assert original(found[-1]["messages"][-1]["content"]) == filled.HOSTILE


def test_kto_labels_wins_and_losses_and_leaves_draws_out(sqlite, tmp_path):
    export_training(tmp_path / "out", sqlite, purpose="kto")
    found = rows(tmp_path / "out", "kto")
    labels = {(row["game_id"], row["player_index"]): row["label"] for row in found}
    won = {(1, 0): True, (1, 1): True, (1, 2): True}
    assert labels == {**won, (1, 3): False, (6, 0): False}


def test_rl_has_the_environments_own_reward(sqlite, tmp_path):
    export_training(tmp_path / "out", sqlite, purpose="rl", form="parquet")
    found = parquet.read_table(tmp_path / "out" / "rl.parquet").to_pylist()
    rewards = players_df(sqlite).set_index(["game_id", "player_index"])["reward"]
    assert len(found) == 9
    for row in found:
        assert row["reward"] == rewards[row["game_id"], row["player_index"]]
        assert [message["role"] for message in row["completion"]] == ["assistant"]


def test_the_filter_chooses_the_seats(sqlite, tmp_path):
    export_training(tmp_path / "out", sqlite, purpose="sft", agent="ann", result="win")
    assert {row["agent"] for row in rows(tmp_path / "out", "sft")} == {"ann"}


@pytest.mark.slow
def test_pairs_are_of_branches_of_one_turn_with_one_prompt_and_the_same_agents(branched, tmp_path):
    export_training(tmp_path / "out", branched, purpose="dpo")
    pairs = rows(tmp_path / "out", "dpo")
    assert pairs
    games = games_df(branched).set_index("game_id")
    players = players_df(branched)
    said = calls_df(branched, columns=["game_id", "turn_number", "messages", "text"])
    for pair in pairs:
        chosen, rejected = json.loads(pair["chosen_games"]), json.loads(pair["rejected_games"])
        assert {games["parent_game_id"][game] for game in chosen + rejected} == {1}
        seats = defaultdict(set)
        for game in chosen + rejected:
            seated = players[players.game_id == game]
            seats[tuple(seated.agent)].add(game)
            at_turn = said[(said.game_id == game) & (said.turn_number == 1)].iloc[0]
            answer = pair["chosen" if game in chosen else "rejected"]
            assert answer == [{"role": "assistant", "content": at_turn.text}]
            assert at_turn.messages == pair["prompt"]
        assert len(seats) == 1
        assert pair["chosen"] != pair["rejected"]
        scores = {"win": 1.0, "draw": 0.5, "loss": 0.0}
        own = players[players.player_index == pair["player_index"]].set_index("game_id")["result"]
        for which, among in (("chosen", chosen), ("rejected", rejected)):
            mean = sum(scores[own[game]] for game in among) / len(among)
            assert pair[f"{which}_score"] == mean
        assert pair["chosen_score"] > pair["rejected_score"]


def test_no_answer_is_in_two_pairs(branched, tmp_path):
    export_training(tmp_path / "out", branched, purpose="dpo")
    used = [
        game
        for pair in rows(tmp_path / "out", "dpo")
        for which in ("chosen_games", "rejected_games")
        for game in json.loads(pair[which])
    ]
    assert len(used) == len({*used})


def test_without_branches_there_are_no_pairs(sqlite, tmp_path):
    export_training(tmp_path / "out", sqlite, purpose="dpo")
    assert rows(tmp_path / "out", "dpo") == []


def test_a_purpose_that_there_is_not(sqlite, tmp_path):
    with pytest.raises(UsageError, match="unknown purpose 'ppo'; did you mean 'dpo'"):
        export_training(tmp_path / "out", sqlite, purpose="ppo")
    assert [*tmp_path.iterdir()] == []


def test_what_was_recorded_of_the_tokens_stands_beside_the_answer(sqlite_url, tmp_path):
    """As a run records it with `record: {logprobs: true}`."""
    filled.fill(sqlite_url)
    with get_session(sqlite_url) as session:
        call = session.exec(select(LLMCall).order_by(LLMCall.id)).first()
        payload = session.get(CallPayload, call.id)
        logs = {"tokens": ["answer", " 0"], "token_logprobs": [-0.5, None]}
        response = {"choices": [], "logprobs": logs, "token_ids": [7, 8]}
        payload.response = Codec().pack(answer_text("answer 0", response))
    export_training(tmp_path / "out", sqlite_url, purpose="rl")
    first, second = rows(tmp_path / "out", "rl")[:2]
    assert json.loads(first["tokens"]) == ["answer", " 0"]
    assert json.loads(first["logprobs"]) == [-0.5, None]
    assert json.loads(first["token_ids"]) == [7, 8]
    assert (second["tokens"], second["logprobs"], second["token_ids"]) == (None, None, None)
