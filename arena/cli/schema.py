"""`arena schema`: the JSON Schema of a tournament file, for editors."""

from __future__ import annotations

from arena.cli.output import write_json


def schema() -> None:
    """Print the JSON Schema of tournament files.

    Editors use it to complete and to check what is typed."""
    from arena.config import json_schema

    write_json(json_schema())
