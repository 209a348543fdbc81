"""Imports TextArena without the word lists of games that are not played.

Its package imports them with itself, and NLTK, SciPy, scikit-learn and pandas with them: two thirds
of what a run costs before its first call. Here they are imported by the first name that is asked of
them, so that the games which need them find them as they would have.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_WORD_LISTS = "textarena.envs.utils.word_lists"


class _WordLists(ModuleType):
    """The module of the word lists, whose code runs when a name of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        # Python itself asks for these while it imports.
        spec = None if name.startswith("__") else self.__dict__.pop("_waiting", None)
        if spec is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__spec__, self.__file__ = spec, spec.origin
        try:
            spec.loader.exec_module(self)
        except BaseException:
            # As a module whose import failed: it is tried again when it is asked for again.
            self._waiting = spec
            raise
        return getattr(self, name)


def import_textarena() -> Any:
    """The package, with every environment registered and none of them imported."""
    found = None if "textarena" in sys.modules else find_spec("textarena")
    if found is not None and found.submodule_search_locations:
        file = Path(found.submodule_search_locations[0], *_WORD_LISTS.split(".")[1:])
        lists = _WordLists(_WORD_LISTS)
        lists._waiting = spec_from_file_location(_WORD_LISTS, file.with_suffix(".py"))
        sys.modules.setdefault(_WORD_LISTS, lists)
    return import_module("textarena")
