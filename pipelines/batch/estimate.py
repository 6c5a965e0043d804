"""What a job will take: its items planned, or a sample of them, before any is paid for.

A plan is the most that an item may take. Of a sample, the whole is estimated by its mean, with the
interval of 95 % of the normal approximation and the correction for a finite number of items.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from lcagent.errors import ModelNotUsable, UsageError
from lcagent.pipelines.batch.items import plan_item
from lcagent.pipelines.session import Session
from lcagent.results import Plan
from lcagent.storage.job_store import NewItem

_AT_ONCE = 4
_SIGMAS = 1.96


@dataclass(frozen=True, slots=True)
class Estimated:
    """A sum over all items, as far as it is known.

    Attributes:
        either_way: Half of the interval that holds it with 95 %; 0 where all were planned.
    """

    total: float
    either_way: float = 0.0


@dataclass(frozen=True, slots=True)
class JobEstimate:
    """What the items of a job will take.

    Attributes:
        planned: How many of them were planned.
        unreadable: Why others could not be, each with its name.
        usd: None where the price of a model is not known.
        seconds: With so many items at once; None where no call was made before.
    """

    items: int
    planned: int
    plans: tuple[Plan, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    usd: Estimated | None = None
    calls: Estimated = field(default_factory=lambda: Estimated(0.0))
    seconds: float | None = None
    latency_s: float | None = None

    def sum_of(self, name: str) -> Estimated:
        """Return the sum of a number of the plans over all items."""
        return _sum([float(getattr(plan, name)) for plan in self.plans], self._readable)

    @property
    def largest_usd(self) -> float:
        """What the dearest item that was planned may cost."""
        return max((plan.usd or 0.0 for plan in self.plans), default=0.0)

    @property
    def strategies(self) -> dict[str, int]:
        """How many of the planned items each method is for."""
        return dict(Counter(plan.strategy for plan in self.plans).most_common())

    @property
    def _readable(self) -> float:
        return self.items * (1 - len(self.unreadable) / max(1, self.planned))


async def estimate(
    session: Session, items: Sequence[NewItem], *, sample: int | None = None, in_flight: int
) -> JobEstimate:
    """Plan the items of a job, or `sample` of them drawn by chance.

    Documents are read where they are not stored yet; no model is called.

    Raises:
        ModelNotUsable: The model that all of them ask cannot be asked.
    """
    chosen = list(items)
    if sample is not None and sample < len(chosen):
        chosen = Random(len(items)).sample(chosen, sample)  # noqa: S311 -- the same for the same job
    places = asyncio.Semaphore(_AT_ONCE)
    unreadable: list[tuple[str, str]] = []

    async def plan(item: NewItem) -> Plan | None:
        async with places:
            try:
                return await plan_item(session, item.request)
            except ModelNotUsable:
                raise
            except UsageError as error:
                unreadable.append((item.input, str(error)))
                return None

    plans = [plan for plan in await asyncio.gather(*map(plan, chosen)) if plan is not None]
    latencies = await asyncio.to_thread(session.services.runs.recent_latencies_s)
    latency_s = sum(latencies) / len(latencies) if latencies else None
    found = JobEstimate(len(items), len(chosen), tuple(plans), tuple(unreadable))
    calls = found.sum_of("calls")
    seconds = None if latency_s is None else calls.total * latency_s / in_flight
    usd = None if any(each.usd is None for each in plans) else found.sum_of("usd")
    return JobEstimate(
        found.items, found.planned, found.plans, found.unreadable, usd, calls, seconds, latency_s
    )


def _sum(values: Sequence[float], total: float) -> Estimated:
    count = len(values)
    if not count:
        return Estimated(0.0)
    mean = sum(values) / count
    if count >= total - 0.5 or count < 2:
        return Estimated(mean * total)
    variance = sum((each - mean) ** 2 for each in values) / (count - 1)
    error = math.sqrt(variance / count * (1 - count / total))
    return Estimated(mean * total, _SIGMAS * error * total)
