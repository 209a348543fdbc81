"""`/metrics`: the database in numbers, for Prometheus."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from arena.viewer.visit import Visit


def metrics(visit: Visit) -> Response:
    """The text format of Prometheus; 501 where what writes it is not installed."""
    try:
        from arena.viewer.exposition import CONTENT_TYPE, exposition
    except ModuleNotFoundError as error:
        said = f"/metrics needs {error.name}: type `python -m pip install 'llm-arena[telemetry]'`\n"
        return PlainTextResponse(said, 501)
    return Response(exposition(visit.session), media_type=CONTENT_TYPE)
