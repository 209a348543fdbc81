"""Exports what is on record for other programs: tables, training data, logs."""

from arena.analysis.export.card import ExportedFile
from arena.analysis.export.frames import FRAMES, export_frames
from arena.analysis.export.training import export_training

__all__ = ["FRAMES", "ExportedFile", "export_frames", "export_training"]
