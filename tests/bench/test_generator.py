"""The generator in C counts as the one in Python does, and a run that lost something is no result."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from bench import compiled, generator, servers
from bench.generator import PYTHON, Generator, Load
from bench.machine import Failed
from bench.servers import Server


@pytest.fixture(scope="module")
def prompt() -> Generator:
    if compiled.built("generator") is None:
        pytest.skip("needs a C compiler")
    return generator.chosen()


@pytest.fixture(scope="module")
def floor(prompt: Generator) -> Iterator[Server]:
    with servers.floor(servers.cores()[0]) as server:
        assert server is not None
        yield server


def figures(player: Generator, load: Load, server: Server) -> dict[str, object]:
    return generator.run(player, load, server, servers.cores()[1])


def test_both_generators_tell_the_same_things(prompt: Generator, floor: Server) -> None:
    load = Load(3, 7, more=("-n", "500"))
    ours, python = figures(prompt, load, floor), figures(PYTHON, load, floor)
    assert ours.keys() <= python.keys()
    counted = ("connections", "window", "receipts_on", "sent", "accepted", "refused", "receipts", "ids", "unanswered")
    assert {name: ours[name] for name in counted} == {name: python[name] for name in counted}
    assert (ours["accepted"], ours["receipts"], ours["ids"]) == (500, 500, "match")


def test_the_prompt_generator_keeps_a_pace(prompt: Generator, floor: Server) -> None:
    found = figures(prompt, Load(2, 10, False, 1000, seconds=0.3), floor)
    assert isinstance(found["accepted"], int)
    assert isinstance(found["seconds"], float)
    assert 0 < found["accepted"] <= 1000 * found["seconds"] + 1
    assert (found["ids"], found["receipts"]) == ("-", 0)


def test_clients_that_wait_say_when_they_are_bound(prompt: Generator, floor: Server) -> None:
    with generator.silent(Load(5, seconds=60.0), floor, servers.cores()[1]) as waiting:
        assert waiting.poll() is None
    assert waiting.returncode is not None


def test_a_server_that_is_not_there_is_a_failure(prompt: Generator) -> None:
    with pytest.raises(Failed, match="connect"):
        figures(prompt, Load(), Server("nobody", servers.free_port(), 1))


@pytest.mark.parametrize(("ended", "refused"), [(1, {}), (0, {"0x00000058": 3})])
def test_a_run_in_which_a_message_was_lost_or_refused_is_no_result(ended: int, refused: dict[str, int]) -> None:
    with pytest.raises(Failed, match="whole road"):
        generator.figures_of(json.dumps({"refused": refused}), "", ended, "server")


def test_a_generator_can_be_brought_along() -> None:
    assert generator.chosen("python") == PYTHON
    assert generator.chosen("taskset 2 mine -x").command == ("taskset", "2", "mine", "-x")


@pytest.mark.parametrize("name", ["generator", "floor"])
def test_the_programs_in_c_compile_without_a_warning(prompt: Generator, name: str) -> None:
    program, source = compiled.built(name), str(servers.BENCH / f"{name}.c")
    assert program is not None
    done = subprocess.run(["cc", *compiled.FLAGS, "-Werror", "-fsyntax-only", source], capture_output=True, check=False)
    assert done.stderr == b""
