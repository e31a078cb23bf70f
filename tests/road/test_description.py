"""The API against its own description: whatever schemathesis makes of it, no surprise and no undescribed answer.

Every role asks every operation of a running server, with values that fit the schema and with values that do not.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import PROFILE
from tests.road.running import Road
from tests.server import HOST

EXAMPLES = 20 if PROFILE == "prove" else 2  # requests of each kind to each operation
SEED = 3
ROLES = ("operator", "read-only operator", "customer", "read-only customer", "nobody")
SCOPES = ("--scope", "read", "--scope", "settings", "--scope", "credits", "--scope", "send")

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.timeout(3600 if PROFILE == "prove" else 600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with Road(tmp_path_factory.mktemp("road")) as running:
        running.account("smpp-mine")
        running.account("smpp-other")
        yield running


@pytest.fixture
def token(server: Road, role: str) -> str | None:
    """A token of somebody in this role."""
    if role == "nobody":
        return None
    email = f"{role.replace(' ', '.')}@example.com"
    if "operator" in role:
        server.cli("operator", "add", email)
        if "read-only" in role:
            server.cli("person", "set", email, "--read-only")
    else:
        server.cli("person", "add", email, "--account", "smpp-mine", *(("--read-only",) if "read-only" in role else ()))
    scopes = (*SCOPES, *(("--scope", "operate") if role == "operator" else ()))
    if "read-only" in role:
        scopes = ("--scope", "read")
    return str(server.json("token", "add", email, "--name", "schemathesis", *scopes)["token"])


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_one_that_is_described(server: Road, role: str, token: str | None) -> None:
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    url = f"http://{HOST}:{server.web_port}"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    api = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", headers=headers)
    checks = [status_code_conformance, response_schema_conformance, content_type_conformance]
    asked = 0
    for found in api.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            asked += ask(operation.as_strategy(generation_mode=mode), headers, checks)
    assert asked > 100
    assert "Traceback" not in server.said()


def ask(cases: st.SearchStrategy[Any], headers: dict[str, str], checks: list[Any]) -> int:
    """Some requests of one kind to one operation. -> how many."""
    number = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def every(case: Any) -> None:
        nonlocal number
        number += 1
        response = case.call(headers=headers)
        assert response.status_code < 500 or response.status_code == 503, (case.as_curl_command(), response.text)
        case.validate_response(response, checks=checks)

    with suppress(Unsatisfiable):  # an operation that takes nothing has nothing that does not fit
        every()
    return number
