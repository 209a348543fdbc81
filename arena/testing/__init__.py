"""Checks that a plug-in keeps the arena's promises: environments, matchmakers, rating systems,
covariates, readers, providers and executors, ours and yours.

    from arena.testing import check_environment

    def test_my_environment_keeps_the_protocol():
        check_environment(lambda: MyGame(name="MyGame-v0"))

`python -m arena.testing.playthrough` writes a golden game that a person can read;
`arena.testing.referee` looks for faults of the rules themselves.
"""

from arena.testing.conformance import (
    ConformanceError,
    check_crash,
    check_environment,
    check_interleaving,
    check_speech,
)
from arena.testing.covariates import check_covariate
from arena.testing.events import check_events
from arena.testing.executors import check_executor
from arena.testing.matchmakers import check_matchmaker
from arena.testing.policies import (
    HOSTILE_TEXTS,
    ActionPolicy,
    offered,
    plausible,
    with_hostile_texts,
)
from arena.testing.providers import check_provider
from arena.testing.rating_systems import check_rating_system
from arena.testing.readers import check_reader
from arena.testing.remote import check_program, check_remote
from arena.testing.transcript import Transcript, Turn, play

__all__ = [
    "HOSTILE_TEXTS",
    "ActionPolicy",
    "ConformanceError",
    "Transcript",
    "Turn",
    "check_covariate",
    "check_crash",
    "check_environment",
    "check_events",
    "check_executor",
    "check_interleaving",
    "check_matchmaker",
    "check_program",
    "check_provider",
    "check_rating_system",
    "check_reader",
    "check_remote",
    "check_speech",
    "offered",
    "plausible",
    "play",
    "with_hostile_texts",
]
