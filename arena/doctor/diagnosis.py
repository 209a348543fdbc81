"""One thing that was looked at, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DiagnosisState = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was `found` of a `subject`: as it should be, worth a thought, or in the way of a
    tournament; `advice` is what to type or do about it."""

    subject: str
    state: DiagnosisState
    found: str
    advice: str = ""
