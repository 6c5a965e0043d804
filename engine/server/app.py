"""The application: routes, limits and errors around one engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response

from lcagent.engine.engine import AsyncEngine
from lcagent.engine.server import error_responses, protocol
from lcagent.engine.server.chat import ServedEngine, completion_routes
from lcagent.engine.server.memory_routes import memory_routes
from lcagent.engine.server.middleware import CountRequests, EndRequests, GuardRequests, Metrics
from lcagent.engine.server.server_settings import ServerSettings


def make_app(
    engine: AsyncEngine, settings: ServerSettings, closing: asyncio.Event | None = None
) -> FastAPI:
    """Return the application of one model.

    Args:
        closing: Ends all requests when it is set.
    """
    served = ServedEngine(engine, Metrics())
    app = FastAPI(
        title="lcagent",
        lifespan=_lifespan(engine),
        responses=error_responses.RESPONSES,
        docs_url=None,  # their pages would fetch scripts from another host
        redoc_url=None,
        # By default FastAPI sends every request where variables of OpenTelemetry say.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.include_router(completion_routes(served))
    app.include_router(memory_routes(served))
    _add_status(app, served)
    error_responses.install(app)
    app.add_middleware(GuardRequests, settings=settings)
    app.add_middleware(EndRequests, closing=closing or asyncio.Event())
    app.add_middleware(CountRequests, metrics=served.metrics)
    return app


def _lifespan(
    engine: AsyncEngine,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        if engine.library is not None:
            await asyncio.to_thread(engine.library.open_all)
        yield

    return live


def _add_status(app: FastAPI, served: ServedEngine) -> None:
    core = served.engine.core

    @app.get("/health", tags=["status"])
    async def health() -> protocol.HealthResponse:
        """Say that the server is there."""
        return protocol.HealthResponse(running=core.num_running, waiting=core.num_waiting)

    @app.get("/metrics", tags=["status"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return figures in the text format of Prometheus."""
        return PlainTextResponse(served.metrics.text(core.num_running, core.num_waiting))

    @app.get("/v1/models", tags=["status"])
    async def models() -> protocol.ModelList:
        """List the model."""
        return protocol.ModelList(data=[_model_object(served.engine)])

    @app.get("/v1/models/{model_id:path}", tags=["status"])
    async def model(model_id: str) -> protocol.ModelObject:
        """Tell about the model."""
        served.check_model(model_id)
        return _model_object(served.engine)


def _model_object(engine: AsyncEngine) -> protocol.ModelObject:
    return protocol.ModelObject(id=engine.name, context_tokens=engine.context_tokens)
