"""What keeps games of a run from being played: money that has run out, models that are parked."""

from __future__ import annotations

from arena.core import BudgetReached, ModelParked, ModelUnproven
from arena.orchestrator.run_log import model_parked


class Halts:
    """What a run has met so far. `parked` says by model why its games are not played; `unpaid`
    why none is begun any more, whose budget of all models has run out; `unpaid_models` by model
    why those are not begun that its own budget cannot pay."""

    def __init__(self) -> None:
        self.parked: dict[str, str] = {}
        self.unpaid: str | None = None
        self.unpaid_models: dict[str, str] = {}

    @property
    def budget_reached(self) -> bool:
        """Whether more money would let the run play more."""
        return self.unpaid is not None or bool(self.unpaid_models)

    @property
    def short_model(self) -> str | None:
        """The model whose own budget has run out, as long as that of all has not."""
        return None if self.unpaid else next(iter(self.unpaid_models), None)

    def short(self, said: str, model: str | None) -> None:
        """The budget, or that of one model, pays no further game."""
        if model is None:
            if self.unpaid is None:
                model_parked(said)
            self.unpaid = self.unpaid or said
        else:
            self.unpaid_models.setdefault(model, said)
            self._park(model, said)

    def met(self, reason: BudgetReached | ModelParked | ModelUnproven) -> None:
        """A game is paused for this reason."""
        if isinstance(reason, BudgetReached):
            # Without a model: no other game is begun; those that are being played may still fit.
            self.short(str(reason), reason.model)
        else:
            self._park(reason.model, str(reason))

    def _park(self, model: str, said: str) -> None:
        if model not in self.parked:
            self.parked[model] = said
            model_parked(said)

    def lacking(self) -> dict[str | None, str]:
        """Why more money is needed: by model, and of None in all."""
        in_all: dict[str | None, str] = {} if self.unpaid is None else {None: self.unpaid}
        return in_all | self.unpaid_models

    def reasons(self) -> list[str]:
        """What a person is told of them."""
        return [*self.parked.values(), *([self.unpaid] if self.unpaid else [])]
