"""What the commands that look after a database print with `--json`."""

from __future__ import annotations

from typing import get_args

from arena.cli.json_schemas import JsonObject, OneOfForms


def database_forms() -> dict[str, JsonObject | OneOfForms]:
    """By command, what it prints."""
    from db.maintenance.prune import Prunable, Pruned
    from db.maintenance.sizes import DatabaseSizes
    from db.maintenance.upkeep import UpkeepWork, Upkept

    database = {"database": str}
    return {
        "db prune": OneOfForms(
            [
                JsonObject(named={**database, "found": Prunable, "archived": Pruned | None}),
                JsonObject(named={**database, "brought_back": int}),
            ]
        ),
        "db stats": JsonObject([DatabaseSizes], database),
        **{f"db {work}": JsonObject([Upkept], database) for work in get_args(UpkeepWork)},
    }
