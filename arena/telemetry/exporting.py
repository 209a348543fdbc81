"""Traces and metrics on their way to a collector, by OTLP over HTTP.

Where to, and how, is said by the variables that OpenTelemetry has for it
(`OTEL_EXPORTER_OTLP_ENDPOINT` and the others). They are sent by threads of their own: a collector
that is slow, away or wrong costs the run nothing but what was to be sent, and is told of once.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Self

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from arena.core.text import one_line
from arena.llm.secrets import scrub
from arena.telemetry.metrics import RunMetrics
from arena.telemetry.spans import RunSpans

PATIENCE_S = 5.0
"""Seconds for what is left to be sent when a run has ended."""
_IMPATIENCE_S = 1.0  # where sending has failed before
_BROKEN_OFF_S = 0.5
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The variable that asks for what models were sent and answered."""

_NAME = "llm-arena"
_SCOPE = "arena"
_HEADERS = ("", "TRACES_", "METRICS_")
_LONGEST = 300
_PASSING = "Transient error"  # what is tried again


class Telemetry:
    """What one run is traced and measured by: its `listeners` are given to the run."""

    def __init__(self, tracer: Tracer, meter: Meter, *, content: bool) -> None:
        self.listeners = (RunSpans(tracer, content=content), RunMetrics(meter))


@contextmanager
def telemetry(say: Callable[[str], None]) -> Iterator[Telemetry]:
    """Telemetry for one run, sent as it comes and to its end when the block ends; `say` is told
    what is wrong with sending it, once, from any thread."""
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", _NAME)})
    with _SaysOnce(say) as trouble:
        spans, numbers = OTLPSpanExporter(), OTLPMetricExporter()
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracers.add_span_processor(BatchSpanProcessor(spans))
        reader = PeriodicExportingMetricReader(numbers)
        meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        release = version(_NAME)
        try:
            yield Telemetry(
                tracers.get_tracer(_SCOPE, release),
                meters.get_meter(_SCOPE, release),
                content=_wants_content(),
            )
        finally:
            _close(
                [tracers.shutdown, meters.shutdown],
                [spans.shutdown, numbers.shutdown],
                PATIENCE_S if trouble.reason is None else _IMPATIENCE_S,
            )


def _close(
    ends: list[Callable[[], object]], breaks: list[Callable[[], object]], seconds: float
) -> None:
    """Send what is left, at once and for so many seconds, and then break it off."""
    closing = [threading.Thread(target=end, daemon=True) for end in ends]
    until = time.monotonic() + seconds
    for thread in closing:
        thread.start()
    for thread, break_off in zip(closing, breaks, strict=True):
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            break_off()
            thread.join(_BROKEN_OFF_S)


def _wants_content() -> bool:
    asked = os.environ.get(CONTENT, "").strip().lower()
    return asked in ("true", "span_only", "span_and_event")


class _SaysOnce(logging.Handler):
    """Inside its block, of what OpenTelemetry has to say of itself only that something is lost is
    said, once; afterwards nothing is, because a thread that was broken off may still have something
    to say."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.reason: str | None = None
        self._say = say
        self._said = False
        self._logger = logging.getLogger("opentelemetry")

    def __enter__(self) -> Self:
        self._logger.handlers = [self]
        self._logger.propagate = False
        return self

    def __exit__(self, *_error: object) -> None:
        self._said = True

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless it may come right yet, or something was said before."""
        message = record.getMessage()
        passing = message.startswith(_PASSING) and isinstance(record.args, tuple)
        self.reason = self.reason or (str(record.args[0]) if passing else message)  # type: ignore[index]
        if self._said or passing:
            return
        self._said = True
        headers = (os.environ.get(f"OTEL_EXPORTER_OTLP_{of}HEADERS", "") for of in _HEADERS)
        values = [pair.partition("=")[2].strip() for each in headers for pair in each.split(",")]
        self._say(
            "telemetry is lost, and the run goes on without it: see whether a collector answers "
            "where OTEL_EXPORTER_OTLP_ENDPOINT says, else at http://localhost:4318 "
            f"({one_line(scrub(self.reason, values), _LONGEST)})"
        )
