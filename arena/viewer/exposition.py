"""What Prometheus is told of a database: from the counters that are kept as games end, and from
what runs say of themselves; no call is read for it.

Needs `prometheus-client` (the extra `telemetry`). The registry lives as long as one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from arena.core.text import one_line
from arena.reports.run_status import RunTelling, telling
from db import Session
from db.counts import GameCounts
from db.models.counters import MONEY
from db.queries.archived_games import count_archived
from db.queries.counters import tournament_sums
from db.queries.granted_chunks import unsent_calls
from db.queries.running import told_by_runs
from db.queries.tournaments import TournamentAttempts, attempts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LONGEST = 100
_LAPSES = ("silences", "refusals", "overlongs", "time_limits", "malfunctions")


def exposition(session: Session) -> bytes:
    """All of it, in the text format of Prometheus 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Arena(session))
    return generate_latest(registry)


class _Arena(Collector):
    def __init__(self, session: Session) -> None:
        self._rows = attempts(session)
        self._sums = tournament_sums(session)
        self._archived = count_archived(session)
        self._unsent = unsent_calls(session, datetime.now(UTC))
        told = told_by_runs(session, [row.tournament_id for row in self._rows])
        self._told = {
            row.tournament_id: found
            for row in self._rows
            if (found := telling(told.get(row.tournament_id))) is not None
        }

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("arena_info", "The release that answers", labels=["version"])
        info.add_metric([version("llm-arena")], 1)
        yield info
        yield self._games()
        archived = GaugeMetricFamily(
            "arena_archived_games", "Games whose transcripts are in files beside the database"
        )
        archived.add_metric([], self._archived)
        yield archived
        yield from self._totals()
        yield from self._runs()

    def _games(self) -> Metric:
        games = GaugeMetricFamily(
            "arena_games", "Attempts at games", labels=["tournament", "status"]
        )
        for row in self._rows:
            for status, number in sorted(row.by_status.items()):
                games.add_metric([_shown(row.name), status], number)
        return games

    def _totals(self) -> Iterator[Metric]:
        """Of games that have ended."""
        for name, said, label, columns in (
            ("arena_turns", "Turns that were taken", None, {"": "turns"}),
            (
                "arena_calls",
                "Attempts at providers",
                "outcome",
                {"answered": "answered", "failed": "failed", "orphan": "orphans"},
            ),
            ("arena_cached_answers", "Calls answered from the record", None, {"": "own_cache"}),
            (
                "arena_tokens",
                "Tokens as providers count them",
                "type",
                {"input": "prompt_tokens", "output": "response_tokens", "cached": "cached_tokens"},
            ),
            ("arena_lapses", "Turns that lapsed", "kind", {each: each for each in _LAPSES}),
            ("arena_invalid_actions", "Actions that the rules refused", None,
             {"": "invalid_actions"}),
        ):  # fmt: skip
            family = CounterMetricFamily(
                name, f"{said}, in games that have ended",
                labels=["tournament", *([label] if label else [])],
            )  # fmt: skip
            for row, sums in self._counted():
                for value, column in columns.items():
                    labels = [_shown(row.name), *([value] if label else [])]
                    family.add_metric(labels, getattr(sums, column))
            yield family
        behind = GaugeMetricFamily(
            "arena_counters_behind",
            "Whether `arena counters rebuild` is due, and no totals are told until then",
            labels=["tournament"],
        )
        for row in self._rows:
            behind.add_metric([_shown(row.name)], row.behind)
        yield behind
        dollars = CounterMetricFamily(
            "arena_cost_dollars", "What games that have ended were charged", labels=["tournament"]
        )
        for row, sums in self._counted():
            dollars.add_metric([_shown(row.name)], sums.charged / MONEY)
        yield dollars

    def _counted(self) -> Iterator[tuple[TournamentAttempts, GameCounts]]:
        for row in self._rows:
            # Of one that is behind nothing is told: its counters would go down when it is counted.
            if not row.behind and row.tournament_id in self._sums:
                yield row, self._sums[row.tournament_id]

    def _runs(self) -> Iterator[Metric]:
        """Of runs that have not ended in order, as they said last."""
        going = [
            (_shown(row.name), told)
            for row in self._rows
            if (told := self._told.get(row.tournament_id)) is not None and not told.status.ended
        ]
        now = datetime.now(UTC)
        for name, said, value in _GAUGES:
            family = GaugeMetricFamily(f"arena_run_{name}", said, labels=["tournament"])
            for tournament, told in going:
                if (found := value(told, now)) is not None:
                    family.add_metric([tournament], found)
            yield family
        queue = GaugeMetricFamily(
            "arena_run_calls_waiting",
            "Calls that wait for their model",
            labels=["tournament", "model"],
        )
        flying = GaugeMetricFamily(
            "arena_run_model_calls_in_flight", "Calls at a model", labels=["tournament", "model"]
        )
        errors = GaugeMetricFamily(
            "arena_run_errors", "Failed calls of the run", labels=["tournament", "kind"]
        )
        for tournament, told in going:
            for model in told.status.models:
                queue.add_metric([tournament, _shown(model.name)], model.waiting)
                flying.add_metric([tournament, _shown(model.name)], model.in_flight)
            for kind, number in told.status.errors.items():
                errors.add_metric([tournament, _shown(kind)], number)
        yield from (queue, flying, errors)
        yield from self._chunks()

    def _chunks(self) -> Iterator[Metric]:
        """Of clearance that live workers have, in chunks."""
        names = {row.tournament_id: _shown(row.name) for row in self._rows}
        for unit in ("calls", "tokens", "dollars"):
            family = GaugeMetricFamily(
                f"arena_run_chunk_{unit}",
                f"{unit.capitalize()} that live workers may still send without asking, at most",
                labels=["tournament", "model"],
            )
            for row in self._unsent:
                family.add_metric([names[row.tournament_id], _shown(row.model)], getattr(row, unit))
            yield family


def _shown(text: str) -> str:
    return one_line(text, _LONGEST)


def _lag(told: RunTelling, quantile: str) -> float | None:
    lag = told.status.times.lag
    return None if lag is None else getattr(lag, quantile) / 1e3


_GAUGES: tuple[tuple[str, str, Callable[[RunTelling, datetime], float | None]], ...] = (
    ("silent_seconds", "Since the run said anything", lambda t, now: (now - t.at).total_seconds()),
    ("games_running", "Games that are played now", lambda t, _: t.status.running),
    ("games_paused", "Games stopped in the middle", lambda t, _: t.status.paused),
    ("games_suspended", "Games that wait for an answer", lambda t, _: t.status.suspended),
    ("games_left", "Games still to be played", lambda t, _: t.status.left),
    ("games_unrated", "Finished games that wait for earlier ones", lambda t, _: t.status.waiting),
    ("calls_in_flight", "Calls at providers now", lambda t, _: t.status.in_flight),
    ("turns_per_second", "Turns of late", lambda t, _: t.status.speed),
    ("lag_seconds_median", "What calls waited for the process", lambda t, _: _lag(t, "median")),
    ("lag_seconds_p95", "What 19 in 20 calls waited at most", lambda t, _: _lag(t, "p95")),
    ("spent_dollars", "Spent on the tournament", lambda t, _: t.status.spent),
    ("budget_dollars", "What it may spend", lambda t, _: t.status.budget),
)
