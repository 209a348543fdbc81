"""The gate before one model: who may send a call now, who waits, and what each call taught."""

from __future__ import annotations

import asyncio
import math
import random
from collections import OrderedDict
from collections.abc import Callable, Sequence

from arena.core import ModelParked
from arena.llm.pacing.breaker import Breaker
from arena.llm.pacing.congestion import Blame, Concurrency, Pace, Refusals
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.pacing.permit import GateState, Permit
from arena.llm.pacing.token_bucket import Bucket

# Of the places that are free, what is held for calls that are not there yet is at most this part.
_SHARE = 2
# Refused calls without an answer in between, from which on a model counts as one that refuses all.
_REFUSES_ALL = 4
# Where nothing better is known.
_ADVICE = (
    "Look at the provider's status page and at the account's limits, and run the command again: it "
    "resumes."
)


class Gate:
    """One model's gate. Calls leave in the order they came. `proven` says that the model has
    answered in an earlier run. What earlier runs have `sent` lately, as (seconds ago, tokens) with
    the longest ago first, counts in the limits by the minute.

    Belongs to the event loop it is first entered in, whose clock is the only one it reads. Whether
    a model is down is told by the time for which that loop was free: one that was held, as far as
    `lag` was watched, has not given the model a chance to answer.

    Those who hold `spare` calls are asked for them back, `on_shortage`, when others wait or fail.
    """

    def __init__(
        self,
        model: str,
        *,
        concurrency: int,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        patience: float,
        rng: random.Random,
        doubt: float = float("inf"),
        proven: bool = False,
        lag: LoopLag | None = None,
        sent: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.model = model
        self._patience = patience
        self._lag = lag or LoopLag()
        self._concurrency = Concurrency(concurrency)
        self._pace = Pace(rng)
        self._refusals = Refusals()
        self._breaker = Breaker(patience, rng, doubt)
        self._requests: Bucket | None = None
        self._tokens: Bucket | None = None
        if requests_per_minute is not None:
            self._requests = Bucket(requests_per_minute, ((ago, 1.0) for ago, _ in sent))
        if tokens_per_minute is not None:
            self._tokens = Bucket(tokens_per_minute, sent)
        self._in_flight = self._spare = 0
        self._newest = 0
        self._waiting: OrderedDict[asyncio.Future[Permit], int] = OrderedDict()
        self._answered = int(proven)
        self._largest = 0
        self._refused_alike = 0
        self._why = self._advice = ""
        self._timer: asyncio.TimerHandle | None = None
        self._payer: asyncio.Task[None] | None = None
        self.on_shortage: set[Callable[[], None]] = set()

    @property
    def state(self) -> GateState:
        now = asyncio.get_running_loop().time()
        rate = self._pace.rate(now)
        return GateState(
            model=self.model,
            in_flight=self._in_flight,
            limit=int(self._concurrency.limit),
            waiting=len(self._waiting),
            per_minute=None if rate == math.inf else rate * 60.0,
            held=self._pace.held_for(now),
            breaker=self._breaker.state(self._free(now)),
        )

    @property
    def answered(self) -> int:
        """How many calls the model has answered, those of earlier runs as one."""
        return self._answered

    @property
    def largest(self) -> int:
        """About the tokens of the largest call that the model has answered in this run."""
        return self._largest

    @property
    def proven(self) -> bool:
        """Whether the model has answered, and not only refused calls of late."""
        return self._answered > 0 and self._refused_alike < _REFUSES_ALL

    def enter_now(self, tokens: int) -> Permit | None:
        """A permit at once; None where the call has to wait, or a bucket has to be paid."""
        if self._waiting or self._requests is not None or self._tokens is not None:
            return None
        now = asyncio.get_running_loop().time()
        return self._admit(tokens, now) if self._blocked(now) is None else None

    async def enter(self, tokens: int) -> Permit:
        """Waits until a call of about `tokens` (prompt and answer) may be sent.

        Raises ModelParked when the model has only failed for as long as patience lasts.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._waiting and self._blocked(now) is None and self._affords(tokens):
            # Nothing is waited for in here: the limiters have the room.
            await self._pay(tokens)
            return self._admit(tokens, now)
        if self._breaker.parked(self._free(now)):
            raise self._parked()
        waiter: asyncio.Future[Permit] = loop.create_future()
        self._waiting[waiter] = tokens
        self._pump()
        self._short()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                waiter.result().cancelled()
            self._waiting.pop(waiter, None)
            self._pump()
            raise

    def _blocked(self, now: float) -> float | None:
        """When to look again, None for at once; infinite where a call's end will say."""
        breaker, places = self._breaker, self._concurrency
        if not breaker.closed and (until := breaker.wait_until(self._free(now))) is not None:
            return self._earliest(until, now)
        # A probe may go beside calls that hang, else they would keep it waiting.
        if self._taken >= (int(places.limit) if breaker.closed else places.bound):
            return math.inf
        return self._pace.wait_until(now)

    @property
    def _taken(self) -> int:
        return self._in_flight + self._spare

    async def spare(self, calls: int, places: int, tokens: int) -> tuple[int, int]:
        """Holds room for up to so many calls of up to `tokens` each, of which so many may be in
        flight at once: for how many, and how many at once. Both are a share of what is free, and
        none before the model has answered, while it fails or while anything waits; nothing is
        waited for. Each place is ended by `enter_spare` or by `drop_spare`."""
        now = asyncio.get_running_loop().time()
        if self._waiting or not self.proven or not self._breaker.closed or self._pace.limited(now):
            return 0, 0
        places = min(calls, places, (int(self._concurrency.limit) - self._taken) // _SHARE)
        if self._requests is not None:
            calls = self._requests.share(calls, 1)
        if self._tokens is not None:
            calls = self._tokens.share(calls, tokens)
        places = min(places, calls)
        if places <= 0:
            return 0, 0
        self._spare += places
        for bucket, size in ((self._requests, 1), (self._tokens, tokens)):
            if bucket is not None:
                await bucket.pay(calls * size)
                bucket.use(calls * size)
        return calls, places

    def hold_place(self) -> None:
        """Holds the place of a spare call that is about to end for another."""
        self._spare += 1

    def enter_spare(self, tokens: int, held: int) -> Permit:
        """The permit of a call of about `tokens` that has been sent, or is about to be, in a place
        that was held, of which so many were `held` as well."""
        self._spare -= 1
        if self._tokens is not None:
            self._tokens.correct(held, tokens)
        return self._sent(tokens, asyncio.get_running_loop().time())

    def drop_spare(self, places: int) -> None:
        """So many places that were held are free again. What calls that are not sent took of a
        limit by the minute is not given back: others may have left in between."""
        self._spare -= places
        if places and self._waiting:
            self._pump()

    def _short(self) -> None:
        if self._spare:
            for hear in [*self.on_shortage]:
                hear()

    def _free(self, now: float) -> float:
        """The breaker's clock, which stands still while the loop is held."""
        return now - self._lag.held(now)

    def _earliest(self, free: float, now: float) -> float:
        """When, by the loop's clock, the breaker's can be there; later if the loop is held until
        then."""
        return free + self._lag.held(now)

    def _seen(self, now: float) -> str:
        return self._breaker.seen(self._free(now))

    def _affords(self, tokens: int) -> bool:
        return (self._requests is None or self._requests.affords(1)) and (
            self._tokens is None or self._tokens.affords(tokens)
        )

    def _covers(self, tokens: int) -> bool:
        return (self._requests is None or self._requests.covers(1)) and (
            self._tokens is None or self._tokens.covers(tokens)
        )

    async def _pay(self, tokens: int) -> None:
        if self._requests is not None:
            await self._requests.pay(1)
        if self._tokens is not None:
            await self._tokens.pay(tokens)

    def _admit(self, tokens: int, now: float) -> Permit:
        if self._requests is not None:
            self._requests.use(1)
        if self._tokens is not None:
            self._tokens.use(tokens)
        return self._sent(tokens, now)

    def _sent(self, tokens: int, now: float) -> Permit:
        self._refusals.sent(self._pace.calm(now))
        self._pace.sent(now)
        self._in_flight += 1
        self._newest += 1
        probe = self._breaker.sent(self._newest, self._free(now))
        return Permit(self, self._newest, tokens, self._in_flight, probe)

    def _pump(self) -> None:
        """Releases the calls that may go now, and schedules the next look."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            waiter, tokens = next(iter(self._waiting.items()))
            if waiter.done():
                del self._waiting[waiter]
                continue
            loop = waiter.get_loop()
            now = loop.time()
            until = self._blocked(now)
            if until is None and self._covers(tokens):
                del self._waiting[waiter]
                waiter.set_result(self._admit(tokens, now))
                continue
            deadline = self._earliest(self._breaker.deadline(), now)
            if now >= deadline:
                self._park(now, self._seen(now))
                return
            if until is None:
                if self._payer is None:
                    self._payer = loop.create_task(self._pay_for_first())
                until = deadline
            until = min(until, deadline)
            if until < math.inf:
                self._timer = loop.call_at(until, self._pump)
            return
        if self._payer is not None:
            self._payer.cancel()
            self._payer = None

    async def _pay_for_first(self) -> None:
        while self._waiting:
            tokens = next(iter(self._waiting.values()))
            if self._covers(tokens):
                break
            await self._pay(tokens)
        self._payer = None
        self._pump()

    def ended_well(self, permit: Permit, tokens: int | None) -> None:
        """A call was answered."""
        now = asyncio.get_running_loop().time()
        self._answered, self._refused_alike = self._answered + 1, 0
        self._largest = max(self._largest, permit.tokens)
        self._concurrency.succeeded(now, self._in_flight, permit.beside)
        if self._tokens is not None and tokens is not None:
            self._tokens.correct(permit.tokens, tokens)
        if self._breaker.succeeded(permit.number):
            self._concurrency.restart()
            self._pace.resume(now)
        self._release()

    def ended_badly(
        self,
        permit: Permit,
        rate_limited: bool,
        retry_after: float | None,
        model_at_fault: bool,
        said: str,
        advice: str,
    ) -> None:
        """A call failed."""
        self._advice = advice
        now = asyncio.get_running_loop().time()
        number, newest = permit.number, self._newest
        asked = 0.0 if retry_after is None else retry_after
        if rate_limited:
            if self._refusals.refused(self._pace.calm(now)):
                self._back_off(permit, now)
            self._pace.not_taken(now)
            self._breaker.refused(number, self._free(now), newest, said)
        elif model_at_fault:
            self._breaker.failed(number, self._free(now), newest, said)
        else:
            self._breaker.left(number)
            self._refused_alike += 1
        if rate_limited or model_at_fault:
            self._short()
        if asked > 0.0:
            self._pace.hold(now, min(asked, self._patience), int(self._concurrency.limit))
        if asked > self._patience:
            longer = f"no call is answered within the {self._patience:g} s of `patience`"
            self._park(now, f"{longer}: {said or 'the provider gives no reason'}")
        elif (rate_limited or model_at_fault) and self._breaker.spent(self._free(now)):
            self._park(now, self._seen(now))
        self._release()

    def _back_off(self, permit: Permit, now: float) -> None:
        number, newest = permit.number, self._newest
        blame = self._concurrency.refused(number, newest, now, permit.beside)
        if blame is Blame.PLACE:
            self._pace.crowded(now)
        else:
            self._pace.refused(number, newest, now, sure=self._refusals.share() == 0.0)

    def left(self, permit: Permit) -> None:
        """A call was given up from our side."""
        self._breaker.left(permit.number)
        self._release()

    def _release(self) -> None:
        self._in_flight -= 1
        if self._waiting:
            self._pump()

    def _park(self, now: float, why: str) -> None:
        self._why = why
        self._breaker.park(self._free(now), self._newest, self._pace.held_for(now))
        while self._waiting:
            waiter, _ = self._waiting.popitem(last=False)
            if not waiter.done():
                waiter.set_exception(self._parked())
        self._pump()

    def _parked(self) -> ModelParked:
        return ModelParked(
            self.model,
            f"model {self.model!r} is parked: {self._why}\n{self._advice or _ADVICE}",
        )
