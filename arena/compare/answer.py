"""What the games of a comparison say: the verdict of its test, in numbers and in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arena.compare.adjusted import adjusted_score
from arena.compare.looks import Looks, looks
from arena.compare.noise import noise_beside
from arena.compare.pairs import PairedBlock
from arena.compare.voids import VoidRange, doubted, void_range
from arena.config import TournamentConfig
from arena.core import UsageError
from arena.matchmakers.duel import BLOCK, DuelOptions, score_of
from arena.orchestrator.schedule import ScheduleHistory, history
from arena.reports.html import table
from arena.reports.voids import told
from arena.stats.covariates import AdjustedMean
from arena.stats.fixed import fixed_size
from arena.stats.sequential import Decision, Verdict
from db import Repository, Session, get_session
from db.database import Source
from db.queries.agents import agent_names
from db.queries.spending import spent
from db.queries.voids import AgentVoids, void_games
from db.selection import Selection

ASKS = {
    "clones": "clone teams: one agent in every place of a team, the other in every place of the "
    "other, then swapped on the same seed; asks who makes the better team",
    "opposite": "opposite sides: the two on opposite teams with the field around them, then "
    "swapped on the same seed; asks who is the better opponent",
    "mirrored": "mirrored: the two in two places, then swapped on the same seed; asks who does "
    "better in the other's place",
    "matched": "matched: the two in each other's parts on different seeds, everybody else the "
    "same; asks who does better in the other's place",
}

# Agents that differ at all do not draw that many blocks in a row.
_MANY = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of A against B.

    `options` are what was asked. `verdict` is None where a fixed-size test must not be looked at
    yet. `decided` says that the test has come to its end. `sentence` says it in words. `settled`
    are the games on record of it, `void` those of them that have no result; `games` those that the
    verdict is made of. `dollars` is what they cost, None where nothing had a price. `fixed_games`
    is what a test of a fixed size would have needed, None where that cannot be said. `notes` are
    sentences for people. `voids` are the void games by the agents' names, every attempt counted;
    `void_range` what these may have done to the verdict, None without any. `looks` are how many
    comparisons of these two in this environment are looked at, this one included, and `any_error`
    is the most that one or more of them errs where both are equal. `adjusted` is A's score adjusted
    by the `covariate` that was named, None where that cannot be said. `scores` are A's, block by
    block in the order of the schedule, from 0 to 1.
    """

    a: str
    b: str
    environment: str
    players: int
    seating: str
    options: DuelOptions
    tournament: str | None
    verdict: Verdict | None
    decided: bool
    sentence: str
    settled: int
    void: int
    dollars: float | None
    fixed_games: int | None
    notes: tuple[str, ...] = ()
    voids: Mapping[str, AgentVoids] = field(default_factory=dict)
    void_range: VoidRange | None = None
    looks: int = 1
    any_error: float = 0.0
    covariate: str | None = None
    adjusted: AdjustedMean | None = None
    scores: tuple[float, ...] = ()

    def _repr_html_(self) -> str:
        verdict = self.verdict
        shown = verdict is not None and verdict.estimate is not None
        low, high = verdict.interval if verdict else (None, None)
        return table(
            ("", "score", "low", "high", "games", "decided"),
            [
                (
                    f"{self.a} against {self.b}", verdict.estimate if verdict else None,
                    low if shown else None, high if shown else None, self.settled,
                    "yes" if self.decided else "no",
                )
            ],
            caption=self.sentence,
            notes=self.notes,
        )  # fmt: skip

    def steps(self) -> list[Verdict]:
        """The verdict after each block, up to the one that decided. Raises UsageError where the
        test may not be looked at yet."""
        if self.verdict is None:
            raise UsageError(
                f"a test of a fixed size is looked at once, at its end: {self.sentence}"
            )
        test = self.options.sequential(BLOCK * len(self.scores))
        used = range(1, self.verdict.blocks + 1)
        if self.options.test == "fixed":
            return [self.verdict]
        return [test.verdict(self.scores[:blocks]) for blocks in used]

    @property
    def games(self) -> int:
        """Those that the verdict is made of."""
        return self.verdict.games if self.verdict is not None else 0


def answer(url: Source, config: TournamentConfig, covariate: str | None = None) -> Comparison:
    """What the tournament of a question says so far, with the score adjusted by a covariate beside
    it where one is named, which decides nothing. Raises UsageError where it is not on record,
    or where a fixed size was reached and no block has both results; nothing is written."""
    with get_session(url, create=False) as session:
        return answer_in(session, config, covariate)


def answer_in(
    session: Session, config: TournamentConfig, covariate: str | None = None
) -> Comparison:
    """The same in an open session."""
    repo = Repository(session)
    row = repo.get_tournament_by_name(config.name)
    if row is None or row.id is None:
        raise UsageError(f"the comparison {config.name!r} is not in the database: play it")
    finished = row.status == "finished"
    past = history(session, row.id)
    two = _two(repo, config)
    blocks = blocks_of(past, lambda place: two)
    voids = void_games(session, Selection(tournament=row.id))
    names = {key: agent.name for key, agent in agent_names(session).items()}
    dollars = sum(spent(session, row.id).values())
    asked = looks(
        repo.get_tournaments(),
        config.environment.name,
        config.environment.players,
        {agent.name for agent in config.agents[:2]},
    )
    noise = noise_beside(session, row.environment_id, *two)
    options = DuelOptions.read(config.matchmaker.options)
    scores = [block.score for block in blocks if block.score is not None]
    verdict = _verdict(options, scores, config.games, finished=finished)
    adjusted = None
    if covariate is not None and verdict is not None:
        adjusted = adjusted_score(session, row.id, two, covariate, verdict.blocks)
    if options.test == "fixed" and finished and not scores:
        raise UsageError(
            f"no block of {config.name!r} has both results, and all its {config.games} games were "
            "tried: ask again under another --name or --seed"
        )
    struck_by_name = {names[agent]: void for agent, void in voids.items()}
    between = void_range(options, [block.between for block in blocks], verdict)
    a, b = (agent.name for agent in config.agents[:2])
    return Comparison(
        a=a,
        b=b,
        environment=config.environment.name,
        players=config.environment.players,
        seating=options.seating,
        options=options,
        tournament=config.name,
        verdict=verdict,
        decided=verdict is not None and verdict.decided,
        sentence=doubted(
            sentence(a, b, options, verdict, len(past.settled), config.games), between
        ),
        settled=len(past.settled),
        void=_void(past),
        dollars=dollars,
        fixed_games=_fixed(options, scores, verdict),
        notes=(
            *_notes(past, scores, verdict),
            *noise,
            *told(struck_by_name),
            *other_pairs(asked),
        ),
        covariate=covariate,
        adjusted=adjusted,
        scores=tuple(scores),
        looks=len(asked.of_these),
        any_error=asked.any_error,
        voids=struck_by_name,
        void_range=between,
    )


def other_pairs(asked: Looks) -> Iterator[str]:
    """That comparisons of other pairs are on record, each with an error rate of its own."""
    if asked.of_others:
        yield (
            f"{asked.of_others:,} comparison{'s' if asked.of_others > 1 else ''} of other pairs in "
            f"this environment {'are' if asked.of_others > 1 else 'is'} on record, "
            "each with an error rate of its own: arena compare --among A,B,C tests many pairs with "
            "one for all"
        )


def _two(repo: Repository, config: TournamentConfig) -> tuple[int, int]:
    """The keys of A and B."""
    rows = [repo.get_agent_by_alias(agent.name) for agent in config.agents[:2]]
    first, second = (row.id if row is not None else None for row in rows)
    if first is None or second is None:
        raise UsageError(f"the agents of {config.name!r} are not in the catalogue any more")
    return first, second


def blocks_of(past: ScheduleHistory, two: Callable[[int], tuple[int, int]]) -> list[PairedBlock]:
    """Those that the matchmaker has seen: before the first game that is open, in schedule order.
    `two` are A and B at a place of the schedule."""
    games: list[tuple[float | None, bool]] = []
    while (place := len(games)) in past.settled:
        game = past.settled[place]
        score = None if game is None else score_of(*two(place), game.players)
        games.append((score, place in past.voided))
    pairs = zip(games[::BLOCK], games[1::BLOCK], strict=False)
    return [PairedBlock.of(*pair) for pair in pairs]


def _void(past: ScheduleHistory) -> int:
    return sum(result is None for result in past.settled.values())


def _notes(
    past: ScheduleHistory, scores: Sequence[float], verdict: Verdict | None
) -> Iterator[str]:
    if void := _void(past):
        yield f"{void} of its games have no result after every attempt: their blocks do not count"
    if verdict is None:
        yield (
            "a fixed-size test looks once, when all its games are played: until then nothing is "
            "said; --test evalue may be looked at at any time"
        )
    elif not verdict.decided and (unfinished := len(past.scheduled) - len(past.settled)):
        yield f"{unfinished} of its games are not finished"
    if len(scores) >= _MANY and set(scores) == {0.5} and verdict is not None:
        yield (
            "every block was even: in each other's place the two do just the same, and a test "
            "whose scores lie around 50 % alike will not decide"
        )


def _verdict(
    options: DuelOptions, scores: Sequence[float], games: int, *, finished: bool
) -> Verdict | None:
    if options.test != "fixed":
        return options.sequential(games).verdict(scores)
    if not finished or not scores:
        return None
    # Blocks lost to a fault are lost whatever the result would have been: the look is still one,
    # at a number that no result has chosen.
    return options.sequential(BLOCK * len(scores)).verdict(scores)


def sentence(
    a: str, b: str, options: DuelOptions, verdict: Verdict | None, settled: int, games: int
) -> str:
    """The decision in words."""
    if verdict is None:
        return f"Not to be said yet: {settled:,} of {games:,} games are played."
    h0, h1 = percent(options.h0), percent(options.h1)
    match verdict.decision:
        # A hypothesis is shown by rejecting the other, and no more is said than that.
        case Decision.ACCEPT_H1 if options.h0 >= 0.5:
            return f"{a} is better than {b}: {a} scores more than {h0}."
        case Decision.ACCEPT_H1 if options.h1 > 0.5:
            return f"{a} is better than {b} or nearly even: {a} scores more than {h0}."
        case Decision.ACCEPT_H1:
            return f"{a} scores more than {h0} against {b}."
        case Decision.ACCEPT_H0 if options.h1 <= 0.5:
            return f"{b} is better than {a}: {a} scores less than {h1}."
        case Decision.ACCEPT_H0 if options.h0 < 0.5:
            return f"{b} is better than {a} or nearly even: {a} scores less than {h1}."
        case Decision.ACCEPT_H0:
            return f"{a} does not score {h1} or more against {b}."
        case Decision.REJECT if options.h0 == 0.5:
            better, worse = (a, b) if verdict.favours > 0 else (b, a)
            return f"{better} is better than {worse}."
        case Decision.REJECT:
            side = "more" if verdict.favours > 0 else "less"
            return f"{a} scores {side} than {h0} against {b}."
        case Decision.EXHAUSTED:
            return (
                f"No difference was found in {verdict.games:,} games; that does not show that "
                "there is none."
            )
        case Decision.UNDECIDED if not verdict.blocks:
            return "Undecided: no block of games is finished."
        case _:
            number = "1 game" if verdict.games == 1 else f"{verdict.games:,} games"
            return f"Undecided after {number}: neither is shown."


def errors(options: DuelOptions) -> str:
    """The error rates of the test in words."""
    h0, h1 = percent(options.h0), percent(options.h1)
    if options.test == "gsprt":
        return (
            f"sequential likelihood ratio test (gsprt) of {h0} against {h1}: wrong with at most "
            f"{percent(options.alpha)} where {h0} is true, {percent(options.beta)} where {h1} is"
        )
    looks = "however often one looks" if options.test == "evalue" else "at one look"
    kind = "test by betting (evalue)" if options.test == "evalue" else "test of a fixed size"
    return f"{kind} of {h0}: wrong with at most {percent(options.alpha)} where it is true, {looks}"


def percent(share: float) -> str:
    """`55 %`, `52.5 %`: a share that was chosen, as exactly as it was."""
    return f"{100 * share:.4g} %"


def _fixed(options: DuelOptions, scores: Sequence[float], verdict: Verdict | None) -> int | None:
    if verdict is None or options.test == "fixed":
        return None
    return fixed_games(options, scores[: verdict.blocks])


def fixed_games(options: DuelOptions, scores: Sequence[float]) -> int | None:
    """The games that a test of a fixed size would have needed to see the edge that was asked for,
    with the same error rates, where blocks scatter as these do; None where h1 asks for no edge over
    the score of equals or over h0."""
    null = min(max(0.5, options.h0), options.h1)
    edge = options.h1 - (null if null < options.h1 else options.h0)
    if edge <= 0:
        return None
    # One block of two games between equals is added: a few that were all won say nothing of how
    # blocks scatter.
    middle = sum(scores) / len(scores) if scores else 0.5
    spread = sum((score - middle) ** 2 for score in scores) + 0.25 / BLOCK
    return fixed_size(edge, spread / (len(scores) + 1), options.alpha, 1 - options.beta, BLOCK)
