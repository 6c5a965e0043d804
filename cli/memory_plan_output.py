"""What `lcagent serve --plan` prints."""

from typing import TYPE_CHECKING

from lcagent.cli.printing import print_line
from lcagent.pipelines.local_models.memory_plan import in_bytes

if TYPE_CHECKING:
    from lcagent.engine.sizing import MemoryEstimate
    from lcagent.pipelines.local_models.memory_plan import MemoryPlan

_PLACES = {"gpu": "GPU", "cpu": "RAM", "disk": "disk"}


def print_memory_plan(plan: "MemoryPlan") -> None:
    """Print what a model and a text take, and where that fits."""
    sizes, about = plan.footprint, "" if plan.is_exact else "about "
    parameters = f"{about}{sizes.parameters:,} parameters"
    kept = f"{sizes.token_bytes:,} bytes"
    kept_int8 = f"{round(sizes.int8_token_bytes):,} in int8"
    whole = in_bytes(sizes.memory_bytes(plan.context_tokens))
    whole_int8 = in_bytes(sizes.memory_bytes(plan.context_tokens, is_int8=True))
    print_line(f"model    {plan.family}, {parameters}, made for {plan.window_tokens:,} tokens")
    print_line(f"weights  {about}{in_bytes(sizes.weights_bytes)} in {sizes.dtype}")
    print_line(f"token    {kept} in {sizes.dtype}, {kept_int8}")
    print_line(f"text     {plan.context_tokens:,} tokens: {whole}, {whole_int8} in int8")
    for fit in plan.fits:
        print_line(f"{_PLACES[fit.store]:<9}{_said(fit, plan.weights_on)}")


def _said(fit: "MemoryEstimate", weights_on: str) -> str:
    beside = " beside the weights" if fit.store == weights_on else ""
    if fit.free_bytes < 0:
        return f"the weights do not fit: {in_bytes(-fit.free_bytes)} are missing"
    verdict = "fits" if fit.fits else "fits in int8 only" if fit.fits_int8 else "does not fit"
    longest = "any text" if fit.tokens is None else f"{fit.tokens:,} tokens"
    longest_int8 = "" if fit.int8_tokens is None else f", {fit.int8_tokens:,} in int8"
    return f"{verdict}: {in_bytes(fit.free_bytes)} free{beside}, room for {longest}{longest_int8}"
