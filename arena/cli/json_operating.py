"""What the commands print as JSON that look after a machine and a database."""

from __future__ import annotations

from arena.cli.json_schemas import JsonObject, JsonRows


def operating_forms() -> dict[str, JsonObject]:
    """Of machines, databases and their roles."""
    from arena.doctor import Diagnosis

    return {
        "doctor": JsonObject(named={"ready": bool, "diagnoses": JsonRows(JsonObject([Diagnosis]))}),
        "db roles": JsonObject(named={"database": str, "statements": list[str]}),
    }
