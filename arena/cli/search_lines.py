"""What a search has found, as lines and as plain data, and how far its index is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from arena.cli.output import safe, tell

if TYPE_CHECKING:
    from rich.text import Text

    from arena.reports.search import Excerpt
    from db.search.hits import SearchHit

_OUTCOMES = {"win": "won", "loss": "lost", "draw": "drew"}


def plain_hit(hit: SearchHit) -> dict[str, object]:
    """A hit as plain data, keyword by keyword."""
    from arena.reports.search import excerpt

    around = asdict(excerpt(hit))
    return {
        "game_id": hit.game_id,
        "turn_number": hit.turn_number,
        "player_index": hit.player_index,
        "in": hit.part,
        "agent": hit.agent,
        "role": hit.role,
        "team": hit.team,
        "result": hit.result,
        "tournament": hit.tournament,
        "status": hit.status,
        "excerpt": around["text"],
        "excerpt_matches": around["matches"],
        "text": hit.text,
        "matches": hit.matches,
        "command": f"arena show {hit.game_id}",
    }


def print_hits(hits: Sequence[SearchHit], marks: Sequence[str] = ()) -> None:
    """Each hit with who said it and how that ended; `marks` stand at the right of each instead of
    what the text is."""
    from rich.text import Text

    from arena.cli.transcript_lines import Page, colour, player_name, transcript_console
    from arena.reports.search import excerpt

    page = Page(transcript_console())
    for place, hit in enumerate(hits):
        where = f"game {hit.game_id}"
        if hit.turn_number is not None:
            where += f", turn {hit.turn_number}"
        line = Text.assemble((where, "bold"), "  ")
        if hit.player_index is not None:
            line.append_text(player_name(hit.player_index, hit.agent, hit.role))
        line.append(f"  {_OUTCOMES.get(hit.result or '', '')}")
        page.both_ends(line, Text(marks[place] if marks else hit.part, "dim"))
        bar = Text("│ ", colour(hit.player_index) if hit.player_index is not None else "dim")
        page.wrapped(bar, _highlighted(excerpt(hit)))


def _highlighted(piece: Excerpt) -> Text:
    """A piece on one line, what was found set apart."""
    from rich.text import Text

    shown = Text("… " if piece.cut_before else "")
    at = 0
    for start, end in piece.matches:
        shown.append_text(safe(_flat(piece.text[at:start])))
        shown.append_text(safe(_flat(piece.text[start:end]), "bold"))
        at = end
    shown.append_text(safe(_flat(piece.text[at:])))
    return shown.append(" …" if piece.cut_after else "")


def _flat(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ").replace("\t", " ")


def filling_progress(
    what: str = "filling the search index", unit: str = "games", every: int = 5_000
) -> Callable[[int, int], None]:
    """Tells on stderr how far the index is, where that takes a while."""
    stream = sys.stderr
    said = [0]

    def told(done: int, total: int) -> None:
        if total < every:
            return
        if stream.isatty():
            stream.write(f"\r{what}: {done:,} of {total:,} {unit}")
            if done == total:
                stream.write("\n")
            stream.flush()
        elif done - said[0] >= every or done == total:
            said[0] = done
            tell(f"{what}: {done:,} of {total:,} {unit}")

    return told
