"""Traces: a line per game, its turns and calls as spans with the names of the GenAI conventions."""

import json
import re

import filled
import pytest

from arena.analysis import calls_df, turns_df
from arena.analysis.export import export_otlp
from arena.analysis.export.texts import original


@pytest.fixture(scope="module")
def traces(sqlite, tmp_path_factory):
    folder = tmp_path_factory.mktemp("traces") / "out"
    export_otlp(folder, sqlite)
    lines = (folder / "traces.jsonl").read_text("ascii").splitlines()
    return [json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"] for line in lines]


def attributes(span):
    def plain(value):
        ((kind, held),) = value.items()
        if kind == "arrayValue":
            return [plain(each) for each in held["values"]]
        return int(held) if kind == "intValue" else held

    return {each["key"]: plain(each["value"]) for each in span["attributes"]}


def by_game(traces):
    return {attributes(spans[0])["gen_ai.conversation.id"]: spans for spans in traces}


def test_a_line_per_game_that_was_begun_a_span_per_turn_and_call(traces, sqlite):
    names = [span["name"].partition(" ")[0] for spans in traces for span in spans]
    assert names.count("invoke_workflow") == len(traces)
    played = {attributes(spans[0])["gen_ai.conversation.id"] for spans in traces}
    games = [int(game) for game in played]
    assert names.count("invoke_agent") == len(turns_df(sqlite, game=games))
    assert names.count("chat") == len(calls_df(sqlite, game=games))


def test_ids_are_hexadecimal_and_every_parent_is_in_its_trace(traces):
    for spans in traces:
        assert len({span["traceId"] for span in spans}) == 1
        ids = {span["spanId"] for span in spans}
        assert len(ids) == len(spans)
        for span in spans:
            assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
            assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
            assert span.get("parentSpanId") in ids | {None}
            assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert [span for span in spans if "parentSpanId" not in span] == [spans[0]]


def test_a_call_has_the_names_of_the_conventions(traces):
    calls = [span for span in by_game(traces)["1"] if span["name"] == "chat small"]
    said = attributes(calls[0])
    assert calls[0]["kind"] == 3
    assert said["gen_ai.operation.name"] == "chat"
    assert (said["gen_ai.provider.name"], said["gen_ai.request.model"]) == ("openai", "small")
    assert said["gen_ai.request.temperature"] == 0.5
    assert said["gen_ai.response.model"] == "small-2026"
    assert said["gen_ai.response.finish_reasons"] == ["stop"]
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (100, 10)
    (answer,) = json.loads(said["gen_ai.output.messages"])
    assert answer == {"role": "assistant", "parts": [{"type": "text", "content": "answer 0"}]}
    assert json.loads(said["gen_ai.input.messages"])[0]["role"] == "system"


def test_what_failed_has_a_type_and_a_status(traces):
    failed = [span for span in by_game(traces)["1"] if span["status"]["code"] == 2]
    assert [attributes(span)["error.type"] for span in failed] == ["RateLimitError"]
    assert original(failed[0]["status"]["message"]) == filled.HOSTILE
