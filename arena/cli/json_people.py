"""What the commands of people print as JSON."""

from __future__ import annotations

from arena.cli.json_schemas import JsonObject, JsonRows


def access_forms() -> dict[str, JsonObject]:
    """Of people with access."""
    from datetime import datetime

    person = {
        "name": str,
        "role": str,
        "created_at": datetime,
        "last_used_at": datetime | None,
        "revoked_at": datetime | None,
    }
    shown = JsonObject(named=person)
    return {
        "access add": JsonObject(named={"person": shown, "token": str}),
        "access list": JsonObject(named={"people": JsonRows(shown)}),
    }
