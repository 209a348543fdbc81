"""Prints the boards of a leaderboard: a row per agent or part, as many columns as there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.cli.leaderboard_error_rates import error_table, shown_rates
from arena.cli.options import LIMIT
from arena.cli.output import (
    Column,
    advise,
    console,
    count,
    money,
    percent,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)
from arena.reports.error_rates import error_rates

if TYPE_CHECKING:
    from arena.leaderboard.board import Board, BoardRow
    from arena.leaderboard.records import WinRecord
    from arena.leaderboard.stored import BoardAnswer
    from db.queries.usage import FinishedUsage

# More parts than that would be a table of their own: --json has them.
_PARTS_SHOWN = 4
# A rating that moves by less than this is shown as the same.
_SAME = 0.005
_WIDE = 12  # the order of columns that are shown on request only


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column of the board, and what it shows of a row."""

    column: Column
    cell: Callable[[BoardRow], str]


def print_answer(
    answer: BoardAnswer,
    by_hand: Sequence[Board] = (),
    *,
    as_json: bool = False,
    rates: bool = False,
    wide: bool = False,
    limit: int = LIMIT,
) -> None:
    """The boards of a query and those that were rated by hand, or that there are none, on stdout;
    what they do not say on stderr."""
    from arena.leaderboard.rows import flat
    from db.selection import Selection

    query, found = answer.query, [*answer.boards, *by_hand]
    if not found:
        which = f"that no error {query.exclude_errors} " if query.exclude_errors else ""
        what = " of those asked for" if query.selection != Selection() else ""
        advise(f"no game {which}has been rated yet{what}; `arena games` lists the games")
    if as_json:
        rows = [flat(board, row) for board in found for row in board.rows[:limit]]
        print_json({"rows": rows, "as_of_game": answer.newest, "behind": answer.behind})
        for note in dict.fromkeys(note for board in found for note in board.notes):
            tell(note)
        return
    print_boards(found, rates=rates, wide=wide, limit=limit, without=query.exclude_errors)


def print_as_of(answer: BoardAnswer) -> None:
    """Which games a stored board has, and whether there are newer ones."""
    newest = "of no rated game" if answer.newest is None else f"as of game {answer.newest}"
    if answer.behind:
        newest += "; something has changed since: without --stored it is computed again"
    tell(newest)


def print_boards(
    found: Sequence[Board], *, rates: bool, wide: bool, limit: int, without: str | None = None
) -> None:
    """Every board with its title, its rows and what they do not say; with `rates`, the shares of
    turns that went wrong instead of the ratings. `without` says what an error did to the games that
    were left out."""
    out = console()
    said: list[str] = []
    for place, board in enumerate(found):
        if place:
            out.print()
        print_title(board)
        if rates:
            error_table(board.rows[:limit], board.by)
        else:
            _table(board, board.rows[:limit], wide)
            _explain(board, without)
        if len(board.rows) > limit:
            tell(f"the best {limit:,} of {len(board.rows):,}; --limit shows more")
        for note in board.notes:
            if note not in said:
                advise(note)
                said.append(note)


def print_title(board: Board) -> None:
    """Where the games are from, how many they are, and by which system they were rated."""
    from rich.text import Text

    title = Text(style="bold")
    for part in (board.tournament, board.environment or "all environments"):
        if part:
            title.append_text(safe(part)).append(" · ")
    if board.num_players:
        title.append(f"{count(board.num_players, 'player')} · ")
    title.append(f"{count(board.games, 'game')} · {board.system}")
    for part in (board.role, board.team):
        if part:
            title.append(" · as ").append_text(safe(part))
    print_line(title)


def _table(board: Board, rows: Sequence[BoardRow], wide: bool) -> None:
    columns = [shown for shown in _columns(board, rows) if wide or shown.column.order != _WIDE]
    print_table(
        [shown.column for shown in columns],
        [[shown.cell(row) for shown in columns] for row in rows],
    )


def _columns(board: Board, rows: Sequence[BoardRow]) -> list[_Shown]:
    def right(title: str, order: int = 0) -> Column:
        return Column(title, "right", order=order)

    def faint(title: str, order: int = 0) -> Column:
        return Column(title, "right", style="dim", order=order)

    teams = _parts([row.record.teams for row in rows], board.team)
    roles = _parts([row.record.roles for row in rows], board.role)
    halves = [_of_part(team, lambda row: row.record.teams, 9) for team in teams]
    halves += [
        _of_part(role, lambda row: row.record.roles, _WIDE if teams else 9)
        for role in roles
        if role not in teams
    ]
    parts = [
        _Shown(right("agents", 7), lambda row: f"{row.agents:,}"),
        _Shown(
            faint("at best", 5), lambda row: "" if row.at_best is None else f"± {row.at_best:.1f}"
        ),
    ]
    return [
        _Shown(faint(""), lambda row: str(row.rank)),
        _Shown(
            Column(board.by, shrink=True, style="bold", order=0, least=24), lambda row: row.name
        ),
        _Shown(right("rating"), lambda row: f"{row.rating:.2f}"),
        _Shown(faint("95 %", 1), lambda row: f"{row.low:.1f} to {row.high:.1f}"),
        _Shown(faint("ranks", 4), _tenable),
        _Shown(Column("group", order=4), lambda row: row.group),
        *(parts if board.by != "agent" else []),
        _Shown(right("nash", 3), lambda row: f"{at.value:.1f}" if (at := row.equilibrium) else ""),
        _Shown(
            faint("nash 95 %", 3),
            lambda row: f"{at.low:.1f} to {at.high:.1f}" if (at := row.equilibrium) else "",
        ),
        _Shown(right("games", 2), lambda row: f"{row.record.whole.games:,}"),
        _Shown(right("seats", 8), _seats),
        _Shown(faint("won/drawn/lost", _WIDE), _results),
        _Shown(right("won", 2), lambda row: _share(row.record.whole)),
        *halves,
        _Shown(right("own error", 6), lambda row: _rate(row.record.own, row.record.whole.games)),
        _Shown(right("others'", 6), lambda row: _rate(row.record.others, row.record.whole.games)),
        _Shown(right("thrown out", 10), lambda row: _rate(row.record.out, row.record.whole.games)),
        _Shown(right("as draws", 3), _drawn),
        _Shown(right("without", 5), _without),
        _Shown(right("void", 3), _void),
        _Shown(right("failed calls", 11), _spent(lambda spent: _some(spent.failure_rate))),
        _Shown(right("$/game", 7), _spent(lambda spent: _price(spent.cost_per_game))),
        _Shown(right("tokens/turn", 10), _spent(lambda spent: _whole(spent.tokens_per_turn))),
        _Shown(
            right("cached", 11),
            _spent(lambda spent: "" if spent.cached_share is None else percent(spent.cached_share)),
        ),
        _Shown(right("s/turn", 10), _spent(lambda spent: _seconds(spent.turn_seconds))),
        _Shown(right("s/call", _WIDE), _spent(lambda spent: _seconds(spent.call_seconds))),
        _Shown(Column("errors", shrink=True, style="dim", order=_WIDE), _errors),
    ]


def _spent(shown: Callable[[FinishedUsage], str]) -> Callable[[BoardRow], str]:
    """What a cell shows of what was spent, nothing where that is not known."""
    return lambda row: "" if row.spent is None else shown(row.spent)


def _some(share: float | None) -> str:
    return percent(share) if share else ""


def _price(dollars: float | None) -> str:
    return "" if dollars is None else money(dollars).removeprefix("$")


def _whole(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"


def _results(row: BoardRow) -> str:
    whole = row.record.whole
    return f"{whole.wins:,}/{whole.draws:,}/{whole.losses:,}"


def _of_part(name: str, of: Callable[[BoardRow], dict[str, WinRecord]], order: int) -> _Shown:
    def cell(row: BoardRow) -> str:
        tally = of(row).get(name)
        return "" if tally is None else _share(tally)

    from arena.core.text import one_line

    return _Shown(Column(one_line(name, 12), "right", order=order), cell)


def _parts(found: Sequence[dict[str, WinRecord]], asked: str | None) -> list[str]:
    """The roles or teams that get a column each: none when they are too many, or one was asked."""
    names = sorted({name for parts in found for name in parts})
    return names if asked is None and 1 < len(names) <= _PARTS_SHOWN else []


def _share(tally: WinRecord) -> str:
    return "" if tally.share is None else f"{100 * tally.share:.0f} %"


def _seats(row: BoardRow) -> str:
    whole = row.record.whole
    return f"{whole.seats:,}" if whole.seats != whole.games else ""


def _rate(part: int, whole: int) -> str:
    return percent(part / whole) if part and whole else ""


def _tenable(row: BoardRow) -> str:
    best, worst = row.best_rank, row.worst_rank
    return f"{best}" if best == worst else f"{best}-{worst}"


def _without(row: BoardRow) -> str:
    if row.without_errors is None or abs(row.without_errors - row.rating) < _SAME:
        return ""
    return f"{row.without_errors:.2f}"


def _void(row: BoardRow) -> str:
    """`7 (5 own)`: attempts without a result, and those that ended in the agent's own turn."""
    own = f" ({row.void_own:,} own)" if row.void_own else ""
    return f"{row.void_games:,}{own}" if row.void_games else ""


def _drawn(row: BoardRow) -> str:
    return "" if row.errors_drawn is None else f"{row.errors_drawn:.2f}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f}" if seconds >= 0.95 else f"{seconds:.2g}"


def _errors(row: BoardRow) -> str:
    found = error_rates([row.conduct]) if row.conduct else None
    return shown_rates(found) if found else ""


def _explain(board: Board, without: str | None) -> None:
    if board.left_out:
        tell(f"left out: {count(board.left_out, 'game')} that an error {without}")
    if board.touched:
        tell(
            f"an error decided {percent(board.by_error / board.games)} of these games and touched "
            f"{percent(board.touched / board.games)}, out of which the rules threw a player for "
            f"one. {'; '.join(_meant(board))}"
        )
    if any(map(_seats, board.rows)):
        tell("won: the share of an agent's seats, of which it had several in a game")
    if any(row.equilibrium for row in board.rows):
        tell(
            "nash: what an agent wins by, on the scale of the rating, against the mix of opponents "
            "that nothing beats; 0 is not beaten by it"
        )
    if board.separability is not None:
        tell(
            f"separability {percent(board.separability)}: {board.told_apart:,} of "
            f"{count(board.pairs, 'pair')} {'is' if board.pairs == 1 else 'are'} told apart at the "
            "5 % level, all pairs tested together (Holm)"
        )
    if board.saved is not None:
        tell(
            f"the covariate {board.covariate} saved {percent(max(board.saved, 0.0))} of the "
            "ratings' variance; what they estimate is the same"
        )
    if board.noise is not None:
        tell(
            f"{board.noise.sentence}: two whose prompts say the same differ by up to that, 95 % of "
            "the time; prompts that differ by less do no more than white space does"
        )
    if board.weights:
        shares = ", ".join(f"{name} {percent(share)}" for name, share in board.weights.items())
        tell(f"a rating is the mean over environments, which count {shares} (--weights)")
    if len(board.rows) > 1:
        tell(_scale(board))
    if board.rows[0].group and len({row.group for row in board.rows}) < len(board.rows):
        tell(
            "rows that share a letter of their group cannot be told apart by that test, even where "
            "their 95 % intervals, each of one row alone, do not overlap"
        )


def _scale(board: Board) -> str:
    """What a rating is a distance to, and what the ranks beside it are."""
    ranks = "ranks: the best and worst that are tenable by that test"
    if board.anchor is not None:
        return f"25 is {safe(board.anchor).plain}, a rating the distance to it; {ranks}"
    who = f"{len(board.rows):,} {board.by}s"
    hint = "; --anchor AGENT keeps one at 25" if board.by == "agent" else ""
    return (
        f"25 is the mean of these {who}, a rating the distance to it: it moves when others join"
        f"{hint}. {ranks[0].upper()}{ranks[1:]}"
    )


def _meant(board: Board) -> Iterator[str]:
    """What the columns of errors are shares of."""
    if board.by_error:
        yield "own error, others': the games of an agent that its own or another's error decided"
    yield "thrown out: the games out of which it was thrown"
    if any(map(_drawn, board.rows)):
        yield "as draws: its rating with the games that an error decided as draws"
    if any(map(_without, board.rows)):
        yield "without: its rating without the games that an error decided"
