"""What `lcagent doctor` says of a model that runs here: what it is, what fits, how fast it is."""

from collections.abc import Iterator

from lcagent.engine.engine import describe_device
from lcagent.errors import LcagentError, ModelNotUsable
from lcagent.models.local import LocalModel
from lcagent.pipelines.finding import Finding
from lcagent.pipelines.local_models.memory_plan import MemoryPlan, in_bytes, plan_memory_of
from lcagent.pipelines.services import named_model
from lcagent.settings import Settings


def look_at_local(settings: Settings, *, asks_model: bool) -> Iterator[Finding]:
    """Yield what is found of the local model of the settings.

    Args:
        asks_model: Load it, and measure how fast it is.
    """
    try:
        model = named_model(settings.model, settings)
    except LcagentError as error:
        yield Finding("model", str(error), is_ok=False)
        return
    assert isinstance(model, LocalModel)
    dims, card = model.checkpoint.files.dims, model.card
    sees = {"full": "sees all of it"}.get(
        model.cache_config.policy, f"reads it by {model.cache_config.policy}"
    )
    yield Finding(
        "model",
        f"{card.name} in this process, a window of {card.window_tokens:,} tokens ({sees}; it was "
        f"made for {dims.window_tokens:,}), replies cost nothing",
    )
    plan = plan_memory_of(card.name, dims, card.window_tokens, settings.local_dtype)
    yield _memory(plan, settings)
    yield _device(settings)
    yield _speed(model) if asks_model else Finding("model: speed", "not measured (see --ask-model)")


def _memory(plan: MemoryPlan, settings: Settings) -> Finding:
    """Return how long a text fits where the settings keep it."""
    is_int8, store = settings.local_store_dtype == "int8", settings.local_store
    fit = next((one for one in plan.fits if one.store == store), None)
    if fit is None:
        return Finding("model: memory", f"kept on the {store}, and none is found", is_ok=False)
    weights = f"weights of {in_bytes(plan.footprint.weights_bytes)} ({plan.weights_on})"
    if fit.free_bytes < 0:
        missing = in_bytes(-fit.free_bytes)
        return Finding("model: memory", f"{weights} do not fit: {missing} are missing", is_ok=False)
    longest = fit.int8_tokens if is_int8 else fit.tokens
    room = "texts of any length fit" if longest is None else f"a text of {longest:,} tokens fits"
    beside = " beside them" if store == plan.weights_on else ""
    return Finding(
        "model: memory",
        f"{weights}; {room} into {in_bytes(fit.free_bytes)} free{beside} ({store})",
        is_ok=fit.fits_int8 if is_int8 else fit.fits,
    )


def _device(settings: Settings) -> Finding:
    try:
        return Finding("model: device", describe_device(settings.local_device))
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for a GPU
        reason = str(error).strip().splitlines()[0]
        return Finding("model: device", f"{settings.local_device}: {reason}", is_ok=False)


def _speed(model: LocalModel) -> Finding:
    try:
        speed = model.load().measure_throughput()
    except (ModelNotUsable, MemoryError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or ["out of memory"])[0]
        return Finding("model: speed", reason, is_ok=False)
    return Finding(
        "model: speed",
        f"reads {speed.prefill_per_s:,.0f} tokens a second and writes {speed.decode_per_s:,.0f}, "
        f"one reply at a time, on {speed.device} (measured now, on a short text)",
    )
