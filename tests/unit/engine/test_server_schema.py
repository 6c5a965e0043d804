"""Whatever the schema allows, and much that it does not, is answered without a fault of ours."""

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.schemas import OpenApiSchema
from served import Running, load_recalling

from lcagent.engine.server.server_settings import ServerSettings

pytestmark = pytest.mark.slow

EXAMPLES = 150
"""Of each route and kind: half a minute in all."""
ROUTES = {
    ("get", "/health"),
    ("get", "/metrics"),
    ("get", "/v1/models"),
    ("get", "/v1/models/{model_id}"),
    ("post", "/v1/chat/completions"),
    ("post", "/v1/completions"),
    ("get", "/v1/memories"),
    ("post", "/v1/memories"),
    ("get", "/v1/memories/{memory_id}"),
    ("delete", "/v1/memories/{memory_id}"),
}
CASES = [
    *((GenerationMode.POSITIVE, *route) for route in sorted(ROUTES)),
    *((GenerationMode.NEGATIVE, *route) for route in sorted(ROUTES) if route[0] == "post"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loaded = load_recalling(tmp_path_factory.mktemp("models"))
    memories = tmp_path_factory.mktemp("memories")
    with Running(loaded, ServerSettings(), memories, context_tokens=150) as url:
        yield url


@pytest.fixture(scope="module")
def api(url: str) -> OpenApiSchema:
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


def test_the_schema_names_every_route(url: str) -> None:
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} == ROUTES


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_no_page_makes_a_browser_fetch_scripts_from_elsewhere(url: str, page: str) -> None:
    assert httpx.get(f"{url}/{page}").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(("mode", "method", "path"), CASES)
def test_no_request_makes_the_server_fail(
    api: OpenApiSchema, mode: GenerationMode, method: str, path: str
) -> None:
    operation = api[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def check(case: schemathesis.Case) -> None:
        if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
            case.body["model"] = "recall-model"  # else all of them would be turned away
        case.call_and_validate(checks=[not_a_server_error], timeout=120)

    check()
