"""Makes the configuration of a tournament from its row in the database, without the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.config.shape import TournamentConfig, parse


def restored(canonical: Mapping[str, Any], settings: Mapping[str, Any] | None) -> TournamentConfig:
    """The tournament of which this is the `canonical()`, with the `settings()` of one of its runs,
    or with the default ones.

    Its `canonical()` and `config_hash` are those of the original. Raises ConfigError for a row
    that this version of the arena cannot read.
    """
    own = dict(settings or {})
    of_models: Mapping[str, Any] = own.pop("models", {})
    data = {**canonical, **own}
    data["models"] = [
        {**model, **of_models.get(model["name"], {})} for model in canonical.get("models", ())
    ]
    source = f"the tournament {canonical.get('name')!r} in the database"
    return parse(data, source=source, stored=True)
