"""What each command prints with `--json`: the types of its reports and its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arena.cli.json_boards import ESTIMATE, PLACE, Number, Text, Whole, rating_forms
from arena.cli.json_databases import database_forms
from arena.cli.json_operating import operating_forms
from arena.cli.json_people import access_forms
from arena.cli.json_schemas import JsonObject, JsonRows, OneOfForms, document

_HIT_FIELDS = {
    **{"game_id": int, "turn_number": Whole, "player_index": Whole, "in": str},
    **{"agent": Text, "role": Text, "team": Text, "result": Text},
    **{"tournament": Text, "status": Text, "excerpt": str, "text": str, "command": str},
    **{"excerpt_matches": list[tuple[int, int]], "matches": list[tuple[int, int]]},
}
_EVENT_TYPE = {"name": str, "description": str, "schema": dict[str, Any]}
_HIT = JsonObject(named=_HIT_FIELDS)
_SIMILAR = JsonObject(named={**_HIT_FIELDS, "similarity": float})
_FAILURE = {"failure": Text, "advice": Text, "command": str}
_RULES = {
    **{"name": str, "min_players": int, "max_players": int, "package": str},
    **{"description": str, "twin": Text, "package_version": str},
}

_TOOL = {"name": str, "tool_version": int, "functions": list[str], "about": str}


def schemas() -> dict[str, dict[str, Any]]:
    """By command, as it is typed after `arena`: the JSON Schema of its output."""
    forms = {**_of_games(), **rating_forms(), **_of_catalogue(), **_of_projections(), **_of_rest()}
    forms |= _of_annotations()
    forms |= access_forms() | operating_forms() | database_forms()
    return {command: document(command, form) for command, form in forms.items()}


def _of_games() -> dict[str, JsonObject | OneOfForms]:
    from arena.aside.asking import AskedCall
    from arena.aside.probing import ProbedSeat
    from arena.aside.vectors import EmbeddingPrice
    from arena.replay.branch import BranchReport
    from arena.replay.check import ReplayReport
    from arena.replay.difference import GameDifference
    from arena.reports.chances import TurnChance
    from arena.reports.insights import InsightsReport
    from db.queries.execution_logs import LogRow
    from db.queries.failed_calls import FailedCallRow
    from db.queries.game_states import GameStateRow
    from db.queries.games import GameRow, GameSpent
    from db.queries.metrics import MetricRow
    from db.queries.transcript import TurnRow
    from db.writer.events import EventRow

    events = dict(EventRow.__annotations__)
    return {
        "games": JsonObject(named={"games": JsonRows(JsonObject([GameRow, GameSpent]))}),
        "show": JsonObject(
            [GameRow, GameSpent],
            {
                "turns": JsonRows(JsonObject([TurnRow], optional=["calls"])),
                "history": JsonRows(JsonObject([GameStateRow])),
            },
        ),
        "events": OneOfForms(
            [
                JsonObject(
                    named={
                        "game_id": int,
                        "events_version": Whole,
                        "error": Text,
                        "events": JsonRows(JsonObject(named=events)),
                    }
                ),
                JsonObject(named={"game_id": int, "chances": list[TurnChance]}),
                JsonObject(named={"types": JsonRows(JsonObject(named=_EVENT_TYPE))}),
                *_of_events_rebuild(),
            ]
        ),
        "ask": OneOfForms([JsonObject([AskedCall]), JsonObject(named={"calls": list[AskedCall]})]),
        "probe": JsonObject(
            named={
                "game": int,
                "turn": int,
                "seats": JsonRows(
                    JsonObject([ProbedSeat], {"identified": float | None, "brier": float | None})
                ),
                "left_out": JsonRows(JsonObject(named={"player": int, "why": str})),
            }
        ),
        "search": OneOfForms(
            [
                JsonObject(named={"hits": JsonRows(_HIT)}),
                JsonObject(named={"model": str, "compared": int, "hits": JsonRows(_SIMILAR)}),
                JsonObject([EmbeddingPrice]),
            ]
        ),
        "insights": JsonObject([InsightsReport]),
        "calls": JsonObject(
            named={"calls": JsonRows(JsonObject([FailedCallRow], _FAILURE)), "older": Whole}
        ),
        "metrics": JsonObject(
            named={"metrics": JsonRows(JsonObject([MetricRow])), "behind": list[str]}
        ),
        "logs": JsonObject(named={"lines": JsonRows(JsonObject([LogRow])), "older": Whole}),
        "replay": OneOfForms(
            [JsonObject(named={"games": list[ReplayReport]}), JsonObject([ReplayReport])]
        ),
        "diff": JsonObject([GameDifference]),
        "branch": JsonObject([BranchReport], {"estimate": ESTIMATE}),
    }


def _of_events_rebuild() -> list[JsonObject]:
    from arena.replay.events import ToldGame
    from arena.replay.reading_price import ReadingPrice
    from db.repository.positions import PositionDifference

    told: dict[str, Any] = {
        "games": int,
        "events": int,
        "checked_only": bool,
        "wrong": list[ToldGame],
    }
    told["positions"] = list[PositionDifference]
    told |= {"stopped": Text, "calls": int, "dollars": float}
    return [JsonObject(named=told), JsonObject([ReadingPrice])]


def _of_catalogue() -> dict[str, JsonObject | OneOfForms]:
    from arena.reports.agent import AgentReport
    from arena.reports.run_status import RunTelling
    from arena.reports.tournament import TournamentReport
    from db.models import Kind, Model, Prompt
    from db.queries.audit import StatusMove

    versions = {"version": int, "versions": list[str]}
    agent = JsonObject([AgentReport], {"class": Text, **versions}, without=["class_"])
    model = JsonObject(named={**_table(Model), **versions})
    prompt = JsonObject(named={**_table(Prompt), "forked_from": Text, **versions})
    kind = JsonObject(
        named={**_table(Kind), "in_catalogue": bool, "installed": bool},
        optional=["id", "created_at", "in_catalogue", "installed"],
    )
    twig = {
        **PLACE,
        **{"prompt": str, "forked_from": Text, "depth": int, "games": int},
        **{"rating": Number, "low": Number, "high": Number, "change": dict[str, Any] | None},
    }
    from arena.templates import AgentTemplateResponse, TournamentTemplateResponse
    from db.repository.templates import TemplateUses

    used: dict[str, Any] = {"of": str, "uses": TemplateUses}
    template = {
        **used, **_table(AgentTemplateResponse), **_table(TournamentTemplateResponse)
    }  # fmt: skip
    optional = ["personality", "model", "tools", "config", "roles", "event_flow"]
    templates = JsonObject(named=template, optional=optional)
    found: dict[str, JsonObject | OneOfForms] = {
        "templates list": JsonObject(named={"templates": JsonRows(templates)}),
        "templates show": JsonObject(named={"template": templates, "unseen": list[str] | None}),
        "prompts tree": JsonObject(named={"prompts": JsonRows(JsonObject(named=twig))}),
        "tournaments list": JsonObject(named={"tournaments": list[TournamentReport]}),
        "tournaments show": JsonObject(
            [TournamentReport],
            {"run": RunTelling | None, "history": list[StatusMove]},
        ),
    }
    for noun, fields in (("agent", agent), ("model", model), ("prompt", prompt), ("kind", kind)):
        found[f"{noun}s list"] = JsonObject(named={f"{noun}s": JsonRows(fields)})
        whole = replace(fields, named={**(fields.named or {}), **_profiles().get(noun, {})})
        found[f"{noun}s show"] = JsonObject(named={noun: whole})
    return found


def _profiles() -> dict[str, dict[str, Any]]:
    """What `show` says beside a row, by noun: of what it did in its games."""
    from arena.leaderboard.stored import PartRating
    from arena.llm.providers.protocol import CallPath
    from arena.reports.agent_samples import SampledRecord
    from arena.reports.roles import AgentInRole
    from arena.reports.usage import PartUsage
    from arena.reports.word_diff import DiffPiece
    from db.queries.sessions import AgentSession
    from db.queries.steps import EnvironmentRating, RatingStep

    place = {
        **{"environment": Text, "num_players": Whole, "system": str, "rank": int, "of": int},
        **{"best_rank": int, "worst_rank": int, "rating": float, "low": float, "high": float},
        **{"games": int, "won": Number, "change": dict[str, float] | None},
    }
    board = JsonObject(
        named={
            **{"stored": bool, "behind": bool, "as_of_game": Whole},
            "places": JsonRows(JsonObject(named=place)),
        }
    )
    failure = {
        **{"error_class": str, "failure": Text, "advice": Text, "calls": int},
        **{"newest_game": int, "newest_turn": int, "newest_said": Text},
    }
    used = {
        **{"board": board, "usage": PartUsage | None, "sample": SampledRecord},
        **{"failures": JsonRows(JsonObject(named=failure)), "uncounted": list[str]},
    }
    rated = JsonObject([EnvironmentRating], {"steps": list[RatingStep]})
    agent = {
        **used,
        **{"newest_games": list[int], "ratings": JsonRows(rated), "roles": list[AgentInRole]},
        "sessions": list[AgentSession],
        "meetings": list[dict[str, Any]] | None,
        "part_ratings": dict[str, list[PartRating]],
    }
    prompt = {
        **{"board": board, "line": list[str], "forks": list[str], "agents": list[str]},
        **{"difference": list[DiffPiece], "variables": list[str]},
    }
    model = {**used, "path": CallPath | None}
    return {
        noun: {"profile": JsonObject(named=fields)}
        for noun, fields in (("agent", agent), ("model", model), ("prompt", prompt))
    }


def _table(model: Any) -> dict[str, Any]:
    return {name: field.annotation for name, field in model.model_fields.items()}


def _of_projections() -> dict[str, JsonObject | OneOfForms]:
    from arena.leaderboard.rebuild import RebuildReport

    return {
        "ratings rebuild": JsonObject([RebuildReport], {"ok": bool}),
        "counters rebuild": JsonObject(
            named={
                **{"tournaments": int, "games": int, "checked_only": bool, "behind": Any},
                "differences": list[str],
            }
        ),
    }


def _of_annotations() -> dict[str, JsonObject | OneOfForms]:
    from arena.reports.agreement import AnnotatorAgreement
    from arena.reports.suggestions import SuggestionReport
    from db.queries.annotations import AnnotationRow
    from db.queries.audit import AuditRow

    rows = JsonObject(named={"annotations": list[AnnotationRow]})
    return {
        "audit": JsonObject(named={"entries": list[AuditRow]}),
        "annotate": JsonObject(named={"annotation": AnnotationRow, "replaced": bool}),
        "annotations list": rows,
        "annotations show": rows,
        "annotations agreement": JsonObject([AnnotatorAgreement]),
        "suggestions list": JsonObject(named={"suggestions": list[SuggestionReport]}),
        "suggestions show": JsonObject(named={"suggestion": SuggestionReport}),
    }


def _of_rest() -> dict[str, JsonObject | OneOfForms]:
    from arena.analysis.archives import Imported
    from arena.analysis.export.result_cards import Card, CardCheck
    from arena.core import RulesOption
    from arena.reports.memory import AgentMemory
    from arena.scenarios.summary import ScenarioSummary
    from arena.templates.seed import SeededRow
    from db.archive import Archived
    from db.maintenance.forgetting import Forgotten
    from db.maintenance.migrate import Migrated, MigrationRehearsal
    from db.maintenance.revision import WrittenRevision
    from db.maintenance.verify import Verified
    from db.queries.tool_calls import CalledToolRow
    from db.queries.transcript import ToolCallRow

    database = {"database": str}
    migrated = OneOfForms(
        [JsonObject([Migrated], database), JsonObject([MigrationRehearsal], database)]
    )
    file = JsonObject(named={"file": str, "rows": int, "bytes": int})
    return {
        "environments list": JsonObject(named={"environments": JsonRows(JsonObject(named=_RULES))}),
        "environments show": JsonObject(
            named={
                **_RULES,
                **{"revision": int, "max_characters": Whole, "faults": list[str]},
                "tells": list[str],
                "roles": dict[str, dict[str, int]],
                "options": list[RulesOption] | None,
                "scenario": ScenarioSummary | None,
            }
        ),
        "environments check": JsonObject([ScenarioSummary]),
        "programs list": JsonObject(
            named={"programs": JsonRows(JsonObject(named={"folder": str, "command": list[str]}))}
        ),
        "memory": JsonObject(named={"agent": str, "memories": list[AgentMemory]}),
        "agents check": JsonObject(
            named={"agent": str, "program": Text, "keeps": bool, "error": Text}
        ),
        "tools list": JsonObject(named={"tools": JsonRows(JsonObject(named=_TOOL))}),
        "tools calls": JsonObject(
            named={
                "calls": JsonRows(JsonObject([ToolCallRow, CalledToolRow], without=["call"])),
                "older": Whole,
            }
        ),
        "tools show": JsonObject(
            named={**_TOOL, "options": list[dict[str, Any]], "offered": list[dict[str, Any]]}
        ),
        "keys list": JsonObject(
            named={"keys": JsonRows(JsonObject(named={"variable": str, "host": str}))}
        ),
        "import": JsonObject([Imported]),
        "verify-card": JsonObject([CardCheck], {"alone": bool}),
        "export": OneOfForms(
            [
                JsonObject(named={"folder": str, "files": JsonRows(file)}),
                JsonObject([Archived], {"file": str}),
                JsonObject([Card], {"file": str}),
            ]
        ),
        "db backup": JsonObject(
            named={
                **{"backup": str, "revision": str, "bytes": int, "sha256": str},
                **{**database, "rows": dict[str, int], "deleted": list[str]},
                "lost_transcripts": list[str],
            }
        ),
        "db copy": JsonObject(
            named={**database, "lost_transcripts": list[str], "source": str, "rows": dict[str, int]}
        ),
        "db restore": JsonObject(
            named={
                **database,
                "lost_transcripts": list[str],
                "backup": str,
                "revision": str,
                "rows": dict[str, int],
            }
        ),
        "db upgrade": migrated,
        "db downgrade": migrated,
        "db forget": JsonObject([Forgotten], database),
        "db seed": JsonObject(named={"rows": list[SeededRow]}),
        "db current": JsonObject(named={**database, "revision": Text, "head": str}),
        "db check": JsonObject(named={**database, "revision": str, "differences": list[str]}),
        "db revision": JsonObject([WrittenRevision], database),
        "db verify": JsonObject([Verified], database),
    }
