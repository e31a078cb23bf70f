"""How a page is made, and that nothing of it stays behind."""

import gc
from collections.abc import Iterator

import httpx2
import pytest
from jinja2.runtime import Context, Macro

from gateway.web.panel import PAGES
from tests.gateway.desk import Desk

SHOWN = {route.path for subject in PAGES for route in subject.routes.routes if "GET" in getattr(route, "methods", ())}
OF_ACME = {path.replace("{name}", "acme") for path in SHOWN}
PATHS = sorted({path for path in OF_ACME if "{" not in path and not path.endswith("/live")})  # that one has no end


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()  # what other tests have left
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_no_page_waits_for_the_collector(operator: httpx2.AsyncClient, desk: Desk) -> None:
    """It comes once in thousands of pages, and until then they would hold all that was typed and shown."""
    await desk.operator.accounts.create({"name": "acme"})
    shown = 0
    for path in PATHS:
        answer = await operator.get(path)
        shown += answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
        left = [one for one in gc.get_objects() if isinstance(one, Context | Macro)]
        assert left == [], path
    assert shown > 30
