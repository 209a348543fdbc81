"""`arena run --telemetry` tells a collector of the run, and a collector can do nothing to it."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arena.analysis import calls_df
from arena.core import AgentSpec, CallAnswer, CallIntent, ModelSpec, VoidCause
from arena.game.journal import Answered, Intended
from arena.game.loop import Voided
from arena.telemetry import telemetry
from arena.telemetry.exporting import CONTENT
from tests.cli.commands import TOURNAMENT, run_arena
from tests.servers.otlp_collector import OtlpCollector, attributes

KEY = "hunter2-hunter2-hunter2"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpCollector]:
    with OtlpCollector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


def play(folder: Path, *options: str) -> Any:
    file = folder / "small.yaml"
    file.write_text(TOURNAMENT)
    return run_arena("run", file, "--db", folder / "arena.db", "--telemetry", *options)


def chain(span: Any, spans: dict[bytes, Any]) -> str:
    """The kinds of a span and of those that it is in, the outermost first."""
    kind = str(span.name).partition(" ")[0]
    parent = spans.get(span.parent_span_id)
    return kind if parent is None else f"{chain(parent, spans)} > {kind}"


@pytest.mark.parametrize("executor", ["local", "processes"])
def test_a_run_is_a_trace_whose_calls_are_those_on_record(
    executor: str, collector: OtlpCollector, tmp_path: Path
) -> None:
    assert play(tmp_path, "--executor", executor).exit_code == 0

    calls = calls_df(str(tmp_path / "arena.db"))
    spans = {span.span_id: span for span in collector.spans}
    chains = Counter(chain(span, spans) for span in spans.values())
    turn = "tournament > invoke_workflow > invoke_agent"
    assert chains == {
        "tournament": 1,
        "tournament > invoke_workflow": 6,
        turn: calls["turn_id"].nunique(),
        f"{turn} > chat": len(calls),
    }
    assert len({span.trace_id for span in spans.values()}) == 1
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in spans.values())

    chats = [attributes(span) for span in spans.values() if span.name.startswith("chat")]
    assert {(c["gen_ai.provider.name"], c["gen_ai.request.model"]) for c in chats} == {
        ("scripted", "random")
    }
    sent, answered = calls["prompt_tokens"].sum(), calls["response_tokens"].sum()
    assert sum(c["gen_ai.usage.input_tokens"] for c in chats) == sent
    assert sum(c["gen_ai.usage.output_tokens"] for c in chats) == answered
    agents = {attributes(s)["gen_ai.agent.name"] for s in spans.values() if "agent" in s.name}
    assert agents == {"Ann", "Bob", "Cy"}

    tokens = collector.metrics["gen_ai.client.token.usage"].histogram.data_points
    sums = {attributes(point)["gen_ai.token.type"]: point.sum for point in tokens}
    assert sums == {"input": sent, "output": answered}
    took = collector.metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert sum(point.count for point in took) == len(calls)
    games = collector.metrics["arena.games"].sum.data_points
    assert [(point.as_int, attributes(point)["arena.game.status"]) for point in games] == [
        (6, "completed")
    ]
    # What was said is nobody's business, unless somebody asks for it.
    assert not any(b"You are player" in body for _, body in collector.bodies)


@pytest.mark.parametrize("executor", ["local", "processes"])
def test_what_was_said_is_told_where_it_is_asked_for_without_keys(
    executor: str, collector: OtlpCollector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTENT, "span_only")
    monkeypatch.setenv("MY_API_KEY", KEY)
    file = tmp_path / "small.yaml"
    file.write_text(TOURNAMENT.replace("You are player", f"{KEY} You are player"))

    played = run_arena(
        "run", file, "--db", tmp_path / "a.db", "--telemetry", "--games", "1",
        "--executor", executor,
    )  # fmt: skip

    assert played.exit_code == 0
    chats = [attributes(span) for span in collector.spans if span.name.startswith("chat")]
    assert any("You are player" in c["gen_ai.input.messages"] for c in chats)
    assert all(c["gen_ai.output.messages"] for c in chats)
    assert not any(KEY.encode() in body for _, body in collector.bodies)


def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("status", [None, 400], ids=["away", "refuses"])
def test_a_collector_that_takes_nothing_is_told_of_once_and_changes_nothing(
    status: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={KEY}")
    with OtlpCollector(status or 200) as collector:
        if status is None:
            refused(monkeypatch)
        else:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        played = play(tmp_path)

    assert played.exit_code == 0
    assert played.stderr.count("telemetry is lost, and the run goes on without it") == 1
    assert KEY not in played.stderr
    assert "6 games" in played.stdout
    if status is not None:
        assert {headers["authorization"] for headers in collector.headers} == {KEY}


def test_hostile_words_do_not_cost_the_rest_of_an_export(collector: OtlpCollector) -> None:
    model = ModelSpec("m", "openai/\ud800small")
    ann = AgentSpec(7, "A\udfffnn\x1b[2J", "thinking", 1, model, "")
    now, said = datetime.now(UTC), list[str]()
    with telemetry(said.append) as sending:
        for listener in sending.listeners:
            listener.run_begins(1, "t")
            listener.game_begins(3, "TicTacToe-v0", [ann])
            intent = CallIntent(0, 0, 0, "openai/small", [], {"temperature": 0.5}, "h")
            listener.entered(3, Intended(0, 0, intent))
            answer = CallAnswer(
                0,
                now,
                now,
                1.0,
                model_answered="\ud83d" * 9999,
                error_class="Boom\ud800",
                error_message="a stranger's text",
            )
            listener.entered(3, Answered(0, 0, answer))
            listener.game_ends(3, Voided(VoidCause.PROVIDER, "a stranger's text", 0))
            listener.run_ends("stopped")

    assert said == []
    game, turn, call = (
        next(span for span in collector.spans if span.name.startswith(kind))
        for kind in ("invoke_workflow", "invoke_agent", "chat")
    )
    assert turn.name == "invoke_agent A\\udfffnn\\x1b[2J"
    assert attributes(call)["error.type"] == "Boom\\ud800"
    assert attributes(call)["gen_ai.request.temperature"] == 0.5
    assert attributes(game)["error.type"] == "provider"
    assert not any(b"a stranger" in body for _, body in collector.bodies)
