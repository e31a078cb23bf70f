"""smppgate message …, refusal …, bind … and mo: the traffic."""

from typing import Any

import click

from .client import Client
from .printing import print_details, print_json, print_table
from .whereabouts import Command, Group, Whereabouts, as_json, pass_whereabouts

OF_A_MESSAGE = {
    "at": "At",
    "source_addr": "From",
    "destination_addr": "To",
    "state": "State",
    "error": "Error",
    "charge": "Charge",
    "text": "Text",
}
MESSAGES = {"message_id": "Message", **OF_A_MESSAGE}
REFUSALS = {
    "at": "At",
    "kind": "What",
    "account": "Account",
    "peer": "Peer",
    "system_id": "system_id",
    "source_addr": "From",
    "destination_addr": "To",
    "status": "Status",
    "why": "Why",
    "detail": "Detail",
    "count": "Count",
}
BINDS = {
    "id": "Bind",
    "account": "Account",
    "type": "Type",
    "peer": "Peer",
    "tls": "TLS",
    "since": "Since",
    "window": "Window",
}
OTHERS = 20
"""Refusals that are shown beside the one that is explained."""
limit_option = click.option(
    "--limit", type=click.IntRange(1, 1000), metavar="N", default=50, show_default=True, help="At most so many."
)


@click.group(cls=Group)
def message() -> None:
    """Messages an account has sent."""


@message.command("list")
@click.argument("name")
@limit_option
@click.option("--before", metavar="MESSAGE_ID", help="Older than this one.")
@as_json
@pass_whereabouts
def list_messages(where: Whereabouts, name: str, limit: int, before: str | None, json_: bool) -> None:
    """The newest first."""
    items = where.client().get("accounts", name, "messages", limit=limit, before=before)["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, MESSAGES, f"{name} has sent nothing")


@message.command("show")
@click.argument("name")
@click.argument("message_id")
@as_json
@pass_whereabouts
def show_message(where: Whereabouts, name: str, message_id: str, json_: bool) -> None:
    """Everything about one message. A submit_multi has several under one id; as JSON they are then a list."""
    items = where.client().get("accounts", name, "messages", message_id)["items"]
    if json_:
        print_json(items[0] if len(items) == 1 else items)
        return
    for number, item in enumerate(items):
        if number:
            click.echo()
        print_details(item)


@click.group(cls=Group)
def refusal() -> None:
    """Binds and messages that were refused, and why."""


@refusal.command("list")
@click.argument("name", required=False)
@click.option("--kind", type=click.Choice(("bind", "message")), help="Binds only, or messages only.")
@click.option("--reason", metavar="REASON", help="For this reason only, such as no_credit.")
@click.option("--named", metavar="TEXT", help="The peer's address, the system_id, the sender or the recipient.")
@click.option("--since", metavar="WHEN", help="From this day or moment on.")
@limit_option
@as_json
@pass_whereabouts
def list_refusals(
    where: Whereabouts, /, name: str | None, limit: int, json_: bool, **wanted: str | None
) -> None:
    """The newest first: of one account, or of all."""
    items = where.client().get("refusals", account=name, limit=limit, **wanted)["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, REFUSALS, "nothing was refused")


@refusal.command("why")
@click.argument("text")
@as_json
@pass_whereabouts
def why(where: Whereabouts, text: str, json_: bool) -> None:
    """Explain what is remembered of TEXT: a message id, a number, an address, a system_id, a sender or an account."""
    client = where.client()
    found = remembered(client, text)
    told = [client.get("refusals", each["id"]) for each in found["refusals"][:1]]
    if json_:
        print_json({**found, "explained": told[0] if told else None})
        return
    for each in found["messages"]:
        click.echo(f"message {each['message_id']} of {each['account']} was accepted; it is {each['state']}")
    for each in told:
        click.echo(f"{each['why']} {each['detail']}".rstrip())
        print_table(each["checks"], {"check": "Check", "result": "Result"}, "this reason is of no order of checks")
    if found["refusals"] or not found["messages"]:
        print_table(found["refusals"], REFUSALS, f"nothing is remembered of {text}")


def remembered(client: Client, text: str) -> dict[str, Any]:
    """All that is known of it, though none of the newest refusals may fit."""
    found: dict[str, Any] = client.get("why", q=text)
    while found["next"] is not None and not (found["messages"] or found["refusals"]):
        older = client.get("refusals", named=text, before=found["next"], limit=OTHERS)
        found |= {"refusals": older["items"], "next": older["next"]}
    return found


@click.group(cls=Group)
def bind() -> None:
    """Open binds."""


@bind.command("list")
@click.argument("name", required=False)
@as_json
@pass_whereabouts
def list_binds(where: Whereabouts, name: str | None, json_: bool) -> None:
    """Who is bound: to one account, or at all."""
    items = where.client().get("binds", account=name)["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, BINDS, "nobody is bound")


@bind.command()
@click.argument("bind_id", type=int, required=False)
@click.option("--account", metavar="NAME", help="All binds of this account.")
@as_json
@pass_whereabouts
def kick(where: Whereabouts, bind_id: int | None, account: str | None, json_: bool) -> None:
    """Unbind a session, by its number in `bind list`, or all of an account."""
    if (bind_id is None) == (account is None):
        raise click.UsageError("name one bind, or an account with --account")
    client = where.client()
    done = client.delete("binds", bind_id) if account is None else client.delete("accounts", account, "binds")
    if json_:
        print_json(done)
    else:
        click.echo(f"unbound {done['kicked']}")


@click.command(cls=Command)
@click.argument("source", metavar="FROM")
@click.argument("to")
@click.argument("text")
@click.option("--account", metavar="NAME", help="Whose it is, when several accounts have that sender.")
@as_json
@pass_whereabouts
def mo(where: Whereabouts, source: str, to: str, text: str, account: str | None, json_: bool) -> None:
    """A message from a phone: the account whose sender is TO receives it, now or when it binds."""
    body: dict[str, Any] = {"from": source, "to": to, "text": text, "account": account}
    made = where.client().post("mo", body=body)
    if json_:
        print_json(made)
    else:
        print_details(made)
