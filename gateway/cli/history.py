"""smppgate history …: what an account sent and received, found, traced, erased, cancelled and written to a file."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .messages import OF_A_MESSAGE
from .printing import print_details, print_json, print_table
from .whereabouts import Failure, Group, Whereabouts, as_json, pass_whereabouts

if TYPE_CHECKING:
    from .client import Client

F = TypeVar("F", bound=Callable[..., Any])
LOOK = 0.5  # seconds between two looks at an export
SENT = {"key": "Key", **OF_A_MESSAGE}
RECEIVED = {field: heading for field, heading in SENT.items() if field not in ("error", "charge")}
REFUSED = {
    "at": "At",
    "source_addr": "From",
    "destination_addr": "To",
    "status": "Status",
    "why": "Why",
    "detail": "Detail",
    "count": "Count",
}
STEPS = {"what": "What", "at": "At", "credits": "Credits", "line": "Line", "state": "State", "error": "Error"}
received_option = click.option("--received", is_flag=True, help="What was received, instead of what was sent.")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 500), metavar="N", default=50, show_default=True, help="At most so many."
)
before_option = click.option("--before", metavar="KEY", help="Older than this one.")
state_option = click.option("--state", help="delivered, undeliverable, …, or 'under way'; of sent ones.")


def within(command: F) -> F:
    """The filters that all of them have."""
    for option in (
        click.option("--recipient", metavar="NUMBER", help="To this number."),
        click.option("--sender", help="From this sender."),
        click.option("--until", metavar="DAY|MOMENT", help="Not after this day (UTC), or before this moment."),
        click.option("--since", metavar="DAY|MOMENT", help="From this day (UTC), or moment, on."),
    ):
        command = option(command)
    return command


@click.group(cls=Group)
def history() -> None:
    """What an account sent, received, and tried to send. Messages are named by the key that `list` shows."""


@history.command("list")
@click.argument("name")
@received_option
@within
@state_option
@click.option("--message-id", metavar="ID", help="With the id that the client was told.")
@limit_option
@before_option
@as_json
@pass_whereabouts
def list_(where: Whereabouts, /, name: str, received: bool, json_: bool, **asked: Any) -> None:
    """The newest first."""
    if received:
        asked = without(asked, "state", "message_id")
    items = where.client().get("accounts", name, "incoming" if received else "outgoing", **asked)["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, RECEIVED if received else SENT, "nothing that fits")


@history.command()
@click.argument("name")
@within
@click.option("--reason", help="As `smppgate refusal list --json` names it, such as no_credit.")
@limit_option
@before_option
@as_json
@pass_whereabouts
def refused(where: Whereabouts, /, name: str, json_: bool, **asked: Any) -> None:
    """Messages that were not taken, and why; the newest first."""
    items = where.client().get("accounts", name, "refused", **asked)["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, REFUSED, "nothing that fits")


@history.command()
@click.argument("name")
@click.argument("key")
@as_json
@pass_whereabouts
def trace(where: Whereabouts, name: str, key: str, json_: bool) -> None:
    """One sent message, and what happened to it, step by step."""
    found = where.client().get("accounts", name, "outgoing", key)
    if json_:
        print_json(found)
        return
    print_details({field: value for field, value in found.items() if field != "timeline"})
    click.echo()
    print_table(found["timeline"], STEPS, "")


@history.command()
@click.argument("name")
@click.argument("keys", nargs=-1, required=True)
@received_option
@as_json
@pass_whereabouts
def erase(where: Whereabouts, name: str, keys: tuple[str, ...], received: bool, json_: bool) -> None:
    """Texts and numbers of messages that have ended; what they cost stays."""
    client = where.client()
    if received:
        done = {"erased": sum(client.delete("accounts", name, "incoming", key)["erased"] for key in keys)}
    else:
        done = client.post("accounts", name, "outgoing", "erase", body={"ids": list(keys)})
    if json_:
        print_json(done)
    else:
        click.echo(f"erased {done['erased']}")


@history.command()
@click.argument("name")
@click.argument("key")
@pass_whereabouts
def cancel(where: Whereabouts, name: str, key: str) -> None:
    """Take a message back that waits for its time."""
    where.client().post("accounts", name, "outgoing", key, "cancel")
    click.echo(f"cancelled {key}")


@history.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@received_option
@within
@state_option
@pass_whereabouts
def export(where: Whereabouts, /, name: str, file: Path, received: bool, **asked: Any) -> None:
    """All that fits into FILE, as CSV. A running server writes it in the background and gives way to its clients."""
    if file.exists():
        raise Failure(f"{file} is there already; nothing was overwritten")
    client, direction = where.client(), "incoming" if received else "outgoing"
    if received:
        asked = without(asked, "state")
    if client.server_answers():
        octets = in_background(client, name, direction, asked)
    else:
        octets = client.read("GET", "accounts", name, f"{direction}.csv", **asked)
    file.touch(mode=0o600)
    file.write_bytes(octets)
    click.echo(f"{file}: {len(octets)} octets")


def without(asked: dict[str, Any], *sent_only: str) -> dict[str, Any]:
    """For what was received. Told where one of these was asked for."""
    for field in sent_only:
        if asked.get(field) is not None:
            raise click.UsageError(f"--{field.replace('_', '-')} is for sent messages")
    return {field: value for field, value in asked.items() if field not in sent_only}


def in_background(client: "Client", name: str, direction: str, asked: dict[str, Any]) -> bytes:
    chosen = {field: value for field, value in asked.items() if value is not None}
    made = client.post("accounts", name, "exports", body={"direction": direction, **chosen})
    steps = "accounts", name, "exports", made["id"]
    try:
        while (now := client.get(*steps))["open"]:
            click.echo(f"\r{now['rows']} of about {now['estimate'] or '?'} lines", nl=False, err=True)
            time.sleep(LOOK)
        click.echo(err=True)
        if now["state"] != "done":
            raise Failure(f"the export {now['state']}{': ' + now['reason'] if now['reason'] else ''}")
        return client.read("GET", *steps, "file")
    finally:
        client.delete(*steps)
