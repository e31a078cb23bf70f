"""promtool as a referee of the metrics page, with something to show on it."""

import subprocess

import pytest

from tests.esme import Esme
from tests.interop.conftest import program
from tests.server import Server

pytestmark = pytest.mark.interop


def test_promtool_finds_nothing_to_say(server: Server) -> None:
    login = server.account("metrics", "--credits", "2")
    with Esme(server) as esme:
        esme.bind(login)
        assert [esme.submit().status for _ in range(3)] == [0, 0, 0x403]
        page = server.metrics()
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
