"""Configuration: defaults < file < environment; every fault named at once, with its path."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.config import RULES, Address, Config, ConfigError, Rule, load

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "smppgate.toml"
    path.write_text(text)
    return path


def problems(path: Path | None = None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    return caught.value.problems


def keys_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= keys_of(field.annotation, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def flat(tree: dict[str, Any], prefix: str = "") -> set[str]:
    return {
        key
        for name, value in tree.items()
        for key in (flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name})
    }


def test_the_example_holds_every_key_and_nothing_else() -> None:
    assert flat(tomllib.loads(EXAMPLE.read_text())) == keys_of(Config)


def test_the_example_is_the_default() -> None:
    example = load(EXAMPLE, {})
    assert example.data_dir == EXAMPLE.parent / "data"
    assert example.model_copy(update={"data_dir": Path("data")}) == load(None, {}) == Config()


def test_every_key_of_the_example_has_a_comment_above_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[a-z_]+ = ", line):
            assert lines[number - 1].startswith("# "), line


def test_the_keys_of_a_rule_are_explained_in_the_example() -> None:
    assert all(re.search(rf"^#   {key} ", EXAMPLE.read_text(), re.MULTILINE) for key in Rule.model_fields)


def test_defaults() -> None:
    config = load(None, {})
    assert config.smpp.listen == (Address("127.0.0.1", 2775),)
    assert config.smpp.tls.listen == (Address("127.0.0.1", 3550),)
    assert not config.smpp.tls.enabled
    assert (str(config.metrics.listen), str(config.web.listen)) == ("127.0.0.1:9775", "127.0.0.1:8080")
    assert config.simulator.delay == 0.5
    assert config.simulator.rules == RULES


def test_a_file_overrides_defaults_and_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'node = 3\n[smpp]\nlisten = ["[::1]:2775", "localhost:0"]\n[log]\nlevel = "debug"\n')
    others = {"SMPPGATE_CONFIG": "whatever", "SMPPGATE_LOAD_PASSWORD": "whatever", "PATH": "/bin"}
    config = load(path, {"SMPPGATE_LOG__LEVEL": "error", **others})
    assert config.smpp.listen == (Address("::1", 2775), Address("localhost", 0))
    assert [str(each) for each in config.smpp.listen] == ["[::1]:2775", "localhost:0"]
    assert (config.node, config.log.level) == (3, "error")


def test_an_ipv6_address_at_the_head_of_a_list_is_not_taken_for_json() -> None:
    config = load(None, {"SMPPGATE_SMPP__LISTEN": "[::1]:2, 127.0.0.1:1"})
    assert config.smpp.listen == (Address("::1", 2), Address("127.0.0.1", 1))


def test_lists_and_rules_from_the_environment() -> None:
    config = load(
        None,
        {
            "SMPPGATE_SMPP__LISTEN": "127.0.0.1:1, [::1]:2",
            "SMPPGATE_SMPP__TLS__LISTEN": '["127.0.0.1:3"]',
            "SMPPGATE_SIMULATOR__RULES": json.dumps([{"to": "*", "state": "expired", "delay": "5m"}]),
        },
    )
    assert config.smpp.listen == (Address("127.0.0.1", 1), Address("::1", 2))
    assert config.smpp.tls.listen == (Address("127.0.0.1", 3),)
    assert config.simulator.rules == (Rule(to="*", state="expired", delay=300.0),)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("0.5s", 0.5), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("7", 7), ("1.5 s", 1.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert load(None, {"SMPPGATE_SIMULATOR__DELAY": text}).simulator.delay == seconds


def test_a_plain_number_counts_seconds(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[simulator]\ndelay = 2\n"), {}).simulator.delay == 2.0


@pytest.mark.parametrize("text", ["", "s", "1x", "-1s", "1e3", "nan", "inf", "1 2s", "²s"])
def test_what_is_no_duration(text: str) -> None:
    [problem] = problems(SMPPGATE_SIMULATOR__DELAY=text)
    assert problem.startswith("simulator.delay: not a duration")


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        ":2775",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "::1:2775",
        "[::1]",
        "[::g]:1",
        "1.2.3:5",
        "300.1.1.1:5",
        "a b:5",
        "-x:5",
        "127.0.0.1:²",
    ],
)
def test_what_is_no_address(text: str, tmp_path: Path) -> None:
    [problem] = problems(written(tmp_path, f"[smpp]\nlisten = ['127.0.0.1:2775', '{text}']\n"))
    assert problem.startswith("smpp.listen[1]: ")


def test_every_problem_is_reported_at_once_with_its_path(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        nodes = 1
        data_dir = ""
        [smpp]
        lisen = []
        session_init = "soon"
        [smpp.tls]
        cert = "only.pem"
        [simulator]
        rules = [{ to = "9?9", state = "delivered" }, { to = "*", state = "lost", eror = 1 }]
        [sompp]
    """,
    )
    found = problems(path, SMPPGATE_LOG__LEVEL="loud", SMPPGATE_SMPP__FOO="1", SMPPGATE_DATADIR="x")
    paths = {problem.partition(": ")[0] for problem in found}
    assert paths == {
        "nodes",
        "data_dir",
        "smpp.lisen",
        "smpp.session_init",
        "smpp.tls",
        "simulator.rules[0].to",
        "simulator.rules[1].state",
        "simulator.rules[1].eror",
        "sompp",
        "log.level",
        "smpp.foo",
        "datadir",
    }
    assert "smpp.lisen: unknown key; is it 'listen' that is meant?" in found
    assert "simulator.rules[1].eror: unknown key; is it 'error' that is meant?" in found


def test_a_variable_below_something_that_is_no_section() -> None:
    assert "SMPPGATE_NODE__X: node is not a section" in problems(SMPPGATE_NODE="1", SMPPGATE_NODE__X="2")


def test_what_a_container_platform_puts_into_the_environment_is_not_ours() -> None:
    neighbours = ("SMPPGATE_SERVICE_HOST", "SMPPGATE_PORT", "SMPPGATE_PORT_2775_TCP_PORT")
    assert load(None, dict.fromkeys(neighbours, "tcp://10.0.0.1:2775")) == Config()


def test_a_missing_file_and_one_that_is_no_toml(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml") == [f"{tmp_path / 'none.toml'}: No such file or directory"]
    assert "not TOML" in problems(written(tmp_path, "listen = [\n"))[0]


def test_relative_paths_count_from_the_file_but_the_environment_from_here(tmp_path: Path) -> None:
    path = written(tmp_path, "data_dir = 'here'\n[smpp.tls]\ncert = 'c.pem'\nkey = '/k.pem'\n")
    config = load(path, {})
    assert (config.data_dir, config.smpp.tls.cert, config.smpp.tls.key) == (
        tmp_path / "here",
        tmp_path / "c.pem",
        Path("/k.pem"),
    )
    assert config.smpp.tls.enabled
    assert load(path, {"SMPPGATE_DATA_DIR": "there"}).data_dir == Path("there")


def test_listeners_can_be_switched_off_but_not_all_of_smpp(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[metrics]\nlisten = ''\n[web]\nlisten = ''\n"), {})
    assert config.metrics.listen is None
    assert config.web.listen is None
    assert problems(SMPPGATE_SMPP__LISTEN="") == [
        "smpp: nothing listens; set smpp.listen, or smpp.tls.cert and smpp.tls.key"
    ]
