"""The shape of a scenario file: what can be written in it, and what it means."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from arena.config.parts import Name, Shape

MAX_SCENES = 50
MAX_PERSONAS = 30
MAX_TURNS = 1_000


def _label(value: str) -> str:
    if any(sign in value for sign in "[]:{}"):
        raise ValueError(f"expected a name without brackets, braces and ':', found {value!r}")
    return value


Label = Annotated[Name, AfterValidator(_label)]
"""A name that stands in brackets where players write it: `[rent: 120]`."""


def _words(value: str) -> str:
    if not value.replace("*", "").strip():
        raise ValueError(f"expected words, * standing for any in between, found {value!r:.60}")
    return value


LongText = Annotated[str, Field(min_length=1, max_length=20_000)]
ShortText = Annotated[str, Field(min_length=1, max_length=2_000)]
SaidWords = Annotated[ShortText, AfterValidator(_words)]
"""SaidWords that somebody may say."""
RangeEnd = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Points = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class AttachedText(Shape):
    """A text that scenes quote as `{{texts.NAME}}`: from a file beside the scenario's, or written
    here."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", max_length=60)]
    file: str | None = Field(default=None, min_length=1, description="Beside the scenario's file.")
    text: str | None = Field(default=None, min_length=1, max_length=100_000)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.text is None):
            given = "both" if self.file is not None else "neither"
            raise ValueError(f"expected either 'file' or 'text', found {given}")
        return self


class Profile(Shape):
    """What is known of a persona."""

    background: LongText | None = None
    goals: tuple[ShortText, ...] = Field(default=(), strict=False, max_length=20)
    traits: tuple[ShortText, ...] = Field(default=(), strict=False, max_length=20)


class Persona(Profile):
    """One seat. What is not `private` is told to everybody."""

    name: Label = Field(description="Agents are rated under it, as under a role.")
    role: ShortText | None = Field(default=None, description="What it is in the story: tenant, ...")
    team: Label | None = Field(default=None, description="Personas of a team win together.")
    private: Profile = Field(default=Profile(), description="Told to this seat alone.")


class SettledValue(Shape):
    """Something the parties settle: players state it as `[NAME: VALUE]`."""

    name: Label
    number: tuple[RangeEnd, RangeEnd] | None = Field(
        default=None, strict=False, description="From and to; whole numbers if both are."
    )
    options: tuple[Label, ...] = Field(default=(), strict=False, max_length=50)
    agreed_by: int | None = Field(
        default=None, ge=1, description="As many must have stated the same; by default all."
    )
    voters: tuple[Label, ...] = Field(
        default=(), strict=False, description="It is voted on by these, and the most votes win."
    )

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        if (self.number is None) == (not self.options):
            given = "neither" if self.number is None else "both"
            raise ValueError(f"expected either 'number' or 'options', found {given}")
        if self.number is not None and self.number[0] >= self.number[1]:
            raise ValueError(f"expected a number from low to high, found {[*self.number]}")
        if self.voters and self.agreed_by is not None:
            raise ValueError("expected either 'voters' or 'agreed_by', found both")
        if self.voters and not self.options:
            raise ValueError("expected 'options' to vote on, found 'number'")
        return self


class Success(Shape):
    """When a scene has reached its goal: exactly one of these."""

    settled: tuple[Label, ...] = Field(default=(), strict=False, description="All of these values.")
    said: SaidWords | None = Field(default=None, description="These words; * for any in between.")
    by: Label | None = Field(default=None, description="Who must say them; by default anybody.")
    referee: ShortText | None = Field(default=None, description="Yes or no, for the referee.")

    @model_validator(mode="after")
    def _one_metric(self) -> Self:
        given = [key for key in ("settled", "said", "referee") if getattr(self, key)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of 'settled', 'said', 'referee', found {found}")
        if self.by is not None and self.said is None:
            raise ValueError("expected 'by' beside 'said'")
        return self


class SceneShape(Shape):
    """A part of the game, in which some speak in turn and some listen."""

    title: Label
    description: LongText | None = None
    goal: ShortText | None = None
    speaks: tuple[Label, ...] | None = Field(
        default=None, strict=False, min_length=1, description="In this order; by default all."
    )
    observes: tuple[Label, ...] | None = Field(
        default=None, strict=False, description="By default everybody else."
    )
    timeout_turns: int = Field(ge=1, le=MAX_TURNS, description="The scene ends after so many.")
    success: Success | None = Field(default=None, description="The scene ends when it is met.")

    @property
    def least_turns(self) -> int:
        """The fewest turns after which the scene can be over."""
        waits = self.success is None or self.success.referee is not None
        return self.timeout_turns if waits else 1


class NarratorLine(Shape):
    """What the narrator says, and when: exactly one of `at`, `after` and `said`."""

    say: LongText
    scene: Label | None = Field(default=None, description="In this scene; by default in any.")
    at: Literal["start", "end", "settled"] | None = None
    after: int | None = Field(default=None, ge=1, le=MAX_TURNS, description="Turns of a scene.")
    said: SaidWords | None = Field(default=None, description="The first time that they fall.")
    value: Label | None = Field(default=None, description="With `at: settled`: of this value.")

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        given = [key for key in ("at", "after", "said") if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of 'at', 'after', 'said', found {found}")
        if self.value is not None and self.at != "settled":
            raise ValueError("expected 'value' beside 'at: settled'")
        return self


class VerdictField(Shape):
    """A field of the referee's verdict."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", max_length=60)]
    description: ShortText | None = None
    number: tuple[RangeEnd, RangeEnd] | None = Field(default=None, strict=False)
    options: tuple[Label, ...] = Field(default=(), strict=False, max_length=50)
    text: int | None = Field(default=None, ge=1, le=4_000, description="At most so long.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [key for key in ("number", "options", "text") if getattr(self, key)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of 'number', 'options', 'text', found {found}")
        if self.number is not None and self.number[0] >= self.number[1]:
            raise ValueError(f"expected a number from low to high, found {[*self.number]}")
        return self


class RefereeShape(Shape):
    """An unrated seat that judges when all scenes are over."""

    instructions: LongText
    fields: tuple[VerdictField, ...] = Field(strict=False, min_length=1, max_length=30)
    attempts: int = Field(default=3, ge=1, le=10, description="A verdict that cannot be read.")


class CurvePoint(Shape):
    """So many points at a number."""

    at: RangeEnd
    points: Points


class Score(Shape):
    """Points for a persona: by a value, a field of the verdict, a scene, or by words."""

    persona: Label
    value: Label | None = Field(default=None, description="As it was settled.")
    verdict: str | None = Field(default=None, description="A field of the verdict.")
    scene: Label | None = Field(default=None, description="Points if it reached its goal.")
    said: SaidWords | None = Field(default=None, description="Points if these words fall.")
    by: Label | None = Field(default=None, description="Who says them; by default the persona.")
    worth: dict[Label, Points] | None = Field(default=None, description="Points by option.")
    curve: tuple[CurvePoint, ...] = Field(
        default=(), strict=False, max_length=50, description="Points by number, lines in between."
    )
    points: Points | None = None
    hidden: bool = Field(default=False, description="By default a persona is told what counts.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [k for k in ("value", "verdict", "scene", "said") if getattr(self, k) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of 'value', 'verdict', 'scene', 'said', found {found}")
        counts = [k for k in ("worth", "curve", "points") if getattr(self, k) not in (None, ())]
        wanted = ("worth", "curve") if given[0] in ("value", "verdict") else ("points",)
        if len(counts) != 1 or counts[0] not in wanted:
            said = " and ".join(map(repr, counts)) or "nothing"
            raise ValueError(
                f"expected {' or '.join(map(repr, wanted))} beside {given[0]!r}, found {said}"
            )
        numbers = [point.at for point in self.curve]
        if numbers != sorted(set(numbers)):
            raise ValueError(f"expected 'curve' with rising numbers, found {numbers}")
        if self.by is not None and self.said is None:
            raise ValueError("expected 'by' beside 'said'")
        return self


class ScenarioShape(Shape):
    """A scenario: who, what happens in which order, and what counts."""

    name: Name
    description: LongText
    tags: tuple[Name, ...] = Field(default=(), strict=False, max_length=50)
    difficulty: Literal["easy", "medium", "hard"] | None = None
    objectives: tuple[ShortText, ...] = Field(
        default=(), strict=False, max_length=50, description="What is to be learned from it."
    )
    texts: tuple[AttachedText, ...] = Field(default=(), strict=False, max_length=20)
    personas: tuple[Persona, ...] = Field(strict=False, min_length=2, max_length=MAX_PERSONAS)
    values: tuple[SettledValue, ...] = Field(default=(), strict=False, max_length=50)
    scenes: tuple[SceneShape, ...] = Field(strict=False, min_length=1, max_length=MAX_SCENES)
    narrator: tuple[NarratorLine, ...] = Field(default=(), strict=False, max_length=200)
    referee: RefereeShape | None = None
    scoring: tuple[Score, ...] = Field(strict=False, min_length=1, max_length=500)

    @property
    def least_turns(self) -> int:
        """The fewest turns of a game, the referee's among them: a scene that what is said cannot
        bring to its goal lasts until its `timeout_turns`."""
        judged = self.referee is not None
        return sum(scene.least_turns for scene in self.scenes) + judged
