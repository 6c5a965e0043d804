"""The application: routes, limits and errors around one worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response

from lcagent.engine.generation.prefixes import Prefixes
from lcagent.engine.generation.scheduling import Scheduler
from lcagent.engine.memories.library import MemoryLibrary
from lcagent.engine.model import LocalModel
from lcagent.engine.server import answers, errors
from lcagent.engine.server.asking import Engine
from lcagent.engine.server.completions import completion_routes
from lcagent.engine.server.limits import Counted, Gate
from lcagent.engine.server.memory_routes import memory_routes
from lcagent.engine.server.metrics import Metrics
from lcagent.engine.server.settings import ServerSettings
from lcagent.engine.server.worker import Worker


def make_app(local: LocalModel, settings: ServerSettings) -> FastAPI:
    """Return the application of one model."""
    worker = Worker(Scheduler(local.opened.model, settings.width), settings.most_waiting)
    library = None
    if settings.memories is not None:
        library = MemoryLibrary(local.opened.model, settings.memories)
    engine = Engine(local, worker, Metrics(), Prefixes(settings.kept_prompts), library)
    app = FastAPI(
        title="lcagent",
        lifespan=_lifespan(engine),
        responses=errors.RESPONSES,
        docs_url=None,  # their pages would fetch scripts from another host
        redoc_url=None,
    )
    app.include_router(completion_routes(engine))
    app.include_router(memory_routes(engine))
    _add_status(app, engine)
    errors.install(app)
    app.add_middleware(Gate, settings=settings)
    app.add_middleware(Counted, metrics=engine.metrics)
    return app


def _lifespan(engine: Engine) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        if engine.library is not None:
            await asyncio.to_thread(engine.library.open_all)
        task = asyncio.create_task(engine.worker.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return live


def _add_status(app: FastAPI, engine: Engine) -> None:
    worker = engine.worker

    @app.get("/health", tags=["status"])
    async def health() -> answers.Health:
        """Say that the server is there."""
        return answers.Health(running=worker.running, waiting=worker.waiting)

    @app.get("/metrics", tags=["status"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return figures in the text format of Prometheus."""
        return PlainTextResponse(engine.metrics.text(worker.running, worker.waiting))

    @app.get("/v1/models", tags=["status"])
    async def models() -> answers.ModelList:
        """List the model."""
        return answers.ModelList(data=[_card(engine)])

    @app.get("/v1/models/{model_id:path}", tags=["status"])
    async def model(model_id: str) -> answers.ModelCard:
        """Tell about the model."""
        engine.check_model(model_id)
        return _card(engine)


def _card(engine: Engine) -> answers.ModelCard:
    local = engine.local
    return answers.ModelCard(id=local.name, context_tokens=local.context_tokens)
