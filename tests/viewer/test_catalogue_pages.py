"""The pages of agents, prompts and models over games that were really played."""

from __future__ import annotations

import re

from tests.viewer.browser import NAMES, browsing


def test_an_agent_is_found_by_its_number_its_name_and_the_nearest_name(boarded: str) -> None:
    with browsing(boarded) as get:
        by_number, by_name = get("/agent/1"), get(f"/agent/{NAMES[0]}")
        wrong = get("/agent/Aardvork")
        assert get("/agent/99").status_code == 404
    assert by_number.status_code == by_name.status_code == 200
    assert by_number.text == by_name.text
    assert f"{NAMES[0]} is " in by_number.text
    assert wrong.status_code == 404
    assert f"did you mean &#39;{NAMES[0]}&#39;?" in wrong.text


def test_an_agent_says_its_rank_roles_opponents_words_and_cost(boarded: str) -> None:
    with browsing(boarded) as get:
        page = get("/agent/1").text
    heading = re.search(r"<h1><bdi>(.*?)</bdi></h1>", page)
    assert heading
    assert re.fullmatch(rf"{NAMES[0]} is \d\w\w of 6(, but could be .*)?", heading[1])
    for part in ("Rating over games", "By role and team", "Against whom", "Votes and words",
                 "Errors", "Parts", "Cost", "Newest games"):  # fmt: skip
        assert f"<h2>{part}</h2>" in page, part
    assert '<polyline class="rated"' in page
    for name in NAMES[1:]:
        assert f"<bdi>{name}</bdi></a></th>" in page
    assert 'href="/games?agent=1&amp;against=2"' in page
    assert 'href="/game/3"' in page


def test_agents_are_listed_best_first_and_by_their_parts(boarded: str) -> None:
    with browsing(boarded) as get:
        page, sharp = get("/agents").text, get("/agents?model=sharp").text
        assert get("/agents?model=shrap").status_code == 400
    assert "<h1>6 agents</h1>" in page
    assert page.count('<svg class="span"') == len(NAMES) + 1
    shown = [*re.findall(r'href="/agent/\d+"><bdi class="name">(\w+)<', sharp)]
    assert sorted(shown) == [NAMES[0], NAMES[2], NAMES[4]]


def test_a_model_says_who_answered_and_what_it_took(boarded: str) -> None:
    with browsing(boarded) as get:
        models, page = get("/models").text, get("/model/sharp").text
    assert "<h1>2 models</h1>" in models
    assert "scripted/mafia-sharp" in models
    assert "<bdi>mafia-sharp</bdi></th>" in page
    assert "No call failed." in page
    for part in ("Who answered", "Settings", "Latency of a call", "Cost"):
        assert f"<h2>{part}</h2>" in page, part


def test_a_prompt_shows_its_text_and_its_variables(boarded: str) -> None:
    with browsing(boarded) as get:
        prompts, page = get("/prompts").text, get("/prompt/plain").text
    assert "<h1>2 prompts</h1>" in prompts
    assert "You are player {{player_index}} of {{num_players}}." in page
    assert "<code>num_players</code>" in page
    assert "how many players the game has" in page
