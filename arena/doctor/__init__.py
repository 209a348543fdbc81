"""Looks at everything that a tournament needs of a machine, before one is played: `examine`."""

from arena.doctor.diagnosis import Diagnosis, DiagnosisState
from arena.doctor.examining import examine

__all__ = ["Diagnosis", "DiagnosisState", "examine"]
