"""What the commands of boards, comparisons and plans print as JSON."""

from __future__ import annotations

from typing import Any

from arena.cli.json_schemas import JsonObject, JsonRows, OneOfForms

Number = float | None
Text = str | None
Whole = int | None

_SHARE = JsonObject(named={"share": Number, "low": Number, "high": Number})
PLACE = {"environment": Text, "num_players": Whole, "version": Text, "tournament": Text}
ESTIMATE = dict[str, Any] | None
_VOIDS = dict[str, dict[str, Any]]
_BOARD_ROW = JsonObject(
    named={
        **PLACE,
        **{"system": str, "role": Text, "team": Text, "by": str, "anchor": Text},
        **{"weights": dict[str, float], "covariate": Text, "variance_saved": Number},
        **{"noise_floor": Number, "null_variants": dict[str, int]},
        **{"seats": Any, "rank": Whole, "best_rank": Whole, "worst_rank": Whole, "group": Text},
        **{"agent_id": Whole, "name": str, "agents": int},
        **{"rating": Number, "low": Number, "high": Number, "sigma": Number, "at_best": Number},
        **{"games": int, "wins": int, "draws": int, "losses": int, "won": _SHARE},
        **{"teams": dict[str, dict[str, Any]], "roles": dict[str, dict[str, Any]]},
        **{"own_error": Number, "others_error": Number, "thrown_out": Number},
        **{"decided": int, "touched": int, "without_errors": Number, "errors_drawn": Number},
        **{"left_out": int, "repeats": int, "told_apart": Whole, "pairs": Whole},
        **{"separability": Number, "lack_of_fit": Number, "drift": Number},
        **{"nash": Number, "nash_low": Number, "nash_high": Number},
        **{"void_games": int, "void_own": int, "calls": Whole, "failed_calls": Whole},
        **{"tool_calls": Whole, "tool_failures": Whole},
        **{"cost": Number, "cost_per_game": Number, "tokens_per_turn": Number},
        **{"cached_share": Number, "turn_seconds": Number, "call_seconds": Number},
        "errors": dict[str, Any] | None,
    }
)
_BIN = JsonObject(
    named={
        **PLACE,
        **{"system": str, "games": int, "blocks": int, "log_loss": float, "base_loss": float},
        **{"difference": float, "error": Number, "above": float, "below": float},
        **{"games_in_bin": float, "predicted": Number, "observed": Number},
        **{"low": Number, "high": Number},
    }
)
_CELL = JsonObject(
    named={
        **PLACE,
        **{"agent_id": int, "agent": str, "against_id": int, "against": str},
        **{"role": str, "team": str, "score": float, "low": Number, "high": Number},
        **{"games": int, "blocks": int},
    },
    optional=("against_id", "against", "role", "team"),
)


def rating_forms() -> dict[str, JsonObject | OneOfForms]:
    """Of boards, and of what is measured and planned from games."""
    from arena.compare.among import Among, PairFound
    from arena.compare.answer import Comparison
    from arena.compare.placing import Placed, Placement
    from arena.forecast.games_needed import Outlook
    from arena.leaderboard.parts import Prediction

    told = {"voids": _VOIDS, "estimate": ESTIMATE}
    placed = JsonObject([Placed], {"low": float, "high": float})
    return {
        "leaderboard": OneOfForms(
            [
                JsonObject(
                    named={"rows": JsonRows(_BOARD_ROW), "as_of_game": Whole, "behind": bool}
                ),
                JsonObject(named={"bins": JsonRows(_BIN)}),
                JsonObject(
                    named={
                        "combinations": JsonRows(
                            JsonObject([Prediction], {"environment": Text, "num_players": Whole})
                        )
                    }
                ),
            ]
        ),
        "head-to-head": JsonObject(named={"cells": JsonRows(_CELL)}),
        "compare": OneOfForms(
            [
                JsonObject([Comparison], told, endless=True),
                JsonObject(
                    [Among],
                    {
                        **told,
                        "decided": int,
                        "pairs": JsonRows(JsonObject([PairFound], {"e_value": Number})),
                    },
                ),
            ]
        ),
        "place": JsonObject(
            [Placement], {**told, "finished": bool, "members": JsonRows(placed), "found": Any}
        ),
        "plan": JsonObject([Outlook], {"separated": Any}, endless=True),
    }
