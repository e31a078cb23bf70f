"""smppgate serve and quickstart: the server itself."""

import json
import os
import resource
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .printing import print_details
from .whereabouts import Command, Failure, Whereabouts, pass_whereabouts

if TYPE_CHECKING:
    from gateway.app import Endpoints, Gateway
    from gateway.config import Config

OPERATOR = "operator@localhost"
DEMO_NAME = "smpp-demo"
DEMO = {
    "name": DEMO_NAME,
    "addresses": ["127.0.0.1", "::1"],
    "senders": ["*"],
    "credits": "1000",
    "max_binds": 10,
    "throughput": 200,
    "window": 50,
    "description": "Made by quickstart",
}
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client on this machine finds a listener


@click.command(cls=Command)
@pass_whereabouts
def serve(where: Whereabouts) -> None:
    """Run the gateway until SIGTERM; then finish what was accepted, unbind everybody and exit 0."""
    run(where.config())


@click.command(cls=Command)
@pass_whereabouts
def quickstart(where: Whereabouts) -> None:
    """Make a data folder and a demo account for this machine, and run the gateway.

    The login is printed and written to demo.json in the data folder; a second run uses it again.
    """
    os.umask(0o077)
    config = where.config()
    if not config.smpp.listen:
        raise Failure("the demo account binds without TLS, so smpp.listen must name an address")
    login = demo_login(where, config.data_dir / "demo.json")
    link = operator_link(where)

    def ready(_gateway: "Gateway", endpoints: "Endpoints") -> None:
        at = endpoints.plain[0]
        demo = {**login, "host": EVERYWHERE.get(at.host, at.host), "port": at.port}
        write_private(config.data_dir / "demo.json", demo)
        print_demo(demo, endpoints, config.data_dir, where)
        if link and endpoints.web is not None:
            click.echo(f"To open the panel as {OPERATOR}, choose a password there (once, within 7 days):  {link}")

    run(config, ready)


def run(config: "Config", ready: "Callable[[Gateway, Endpoints], None] | None" = None) -> None:
    from gateway import log, process
    from store.protocol import StoreError

    os.umask(0o077)  # what the gateway writes is nobody else's business
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # and its memory holds texts, and passwords while they are checked
    log.setup(config.log.level, config.log.format, config.log.numbers)
    try:
        process.run(config, ready)
    except StoreError as error:
        from .client import advice

        raise Failure(f"the store in {config.data_dir} cannot be opened: {error}{advice(error)}") from None
    except OSError as error:
        raise Failure(f"cannot start: {error}; `smppgate doctor` looks at every port, file and limit") from None


def demo_login(where: Whereabouts, file: Path) -> dict[str, Any]:
    """-> system_id and password of the demo account, which is made if it is not there."""
    client = where.client(create=True)
    if client.server_answers():
        raise Failure(f"a gateway is already running on {client.data_dir}")
    known = {each["name"]: each["system_id"] for each in client.get("accounts")["items"]}
    if DEMO_NAME not in known:
        made = client.post("accounts", body=DEMO)
    else:
        made = read_login(file)
        if made.get("system_id") != known[DEMO_NAME] or not made.get("password"):  # lost: only its hash is kept
            made = client.post("accounts", DEMO_NAME, "password", body={})
    return {"account": DEMO_NAME, "system_id": made["system_id"], "password": made["password"]}


def operator_link(where: Whereabouts) -> str | None:
    """A one-time link for the first operator, as long as none has chosen a password: there is no default one."""
    client = where.client(create=True)
    operators = [each for each in client.get("people")["items"] if each["operator"]]
    if any(not each["invited"] for each in operators):
        return None
    known = next((each for each in operators if each["email"] == OPERATOR), None)
    if known is not None:
        return str(client.post("people", known["id"], "invitation", body={"shown": True})["link"])
    first = {"email": OPERATOR, "name": "Operator", "operator": True, "shown": True}
    return str(client.post("people", body=first)["link"])


def read_login(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_private(file: Path, content: object) -> None:
    """Whole or not at all, and for the owner alone from the first octet."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, indent=2)
        out.write("\n")
    unfinished.rename(file)


def print_demo(demo: dict[str, Any], endpoints: "Endpoints", data_dir: Path, where: Whereabouts) -> None:
    pairs: list[tuple[str, object]] = [(field, demo[field]) for field in ("system_id", "password", "host", "port")]
    if endpoints.metrics is not None:
        pairs.append(("metrics", f"http://{endpoints.metrics}/metrics"))
    if endpoints.web is not None:
        pairs += [("panel", f"http://{endpoints.web}/"), ("health", f"http://{endpoints.web}/healthz")]
    pairs.append(("login file", data_dir / "demo.json"))
    click.echo("smppgate is running; Ctrl+C stops it. Bind with")
    print_details(pairs)
    click.echo(f"In another terminal:  {send_hello(where)}")


def send_hello(where: Whereabouts) -> str:
    """What to type in this folder to send something, by the very program that runs here."""
    flags = [
        str(word)
        for flag, value in (("--config", where.config_file), ("--data-dir", where.data_dir))
        if value is not None
        for word in (flag, value)
    ]
    return shlex.join([*started_by(), "send", "smppgate", "48600100200", "Hello", "--wait", *flags])


def started_by() -> list[str]:
    """The words that start this program again, whether or not it is in the PATH of another terminal."""
    if Path(sys.argv[0]).name == "__main__.py":
        return [from_here(sys.executable), "-m", "gateway"]
    return [from_here(sys.argv[0])]


def from_here(program: str) -> str:
    """Short, if it lies below this folder. Links are kept: the python of an environment is one."""
    path, here = os.path.abspath(program), os.getcwd()
    return os.path.relpath(path, here) if Path(path).is_relative_to(here) else path
