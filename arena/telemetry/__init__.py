"""Sends what a run does to a collector, as OpenTelemetry's traces and metrics. Optional: needs the
extra `telemetry`, and only the command line knows of it."""

from arena.telemetry.exporting import Telemetry, telemetry

__all__ = ["Telemetry", "telemetry"]
