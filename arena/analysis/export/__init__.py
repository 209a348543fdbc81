"""Exports what is on record for other programs: tables, training data, logs."""

from arena.analysis.export.card import ExportedFile
from arena.analysis.export.frames import FRAMES, export_frames
from arena.analysis.export.inspect_logs import export_inspect
from arena.analysis.export.otlp import export_otlp
from arena.analysis.export.training import export_training

__all__ = [
    "FRAMES",
    "ExportedFile",
    "export_frames",
    "export_inspect",
    "export_otlp",
    "export_training",
]
