"""smppgate sender: what owners register, and what an operator decides."""

from pathlib import Path
from typing import Any

import click

from .printing import print_details, print_json, print_table
from .whereabouts import Group, Whereabouts, as_json, pass_whereabouts

COLUMNS = {"sender": "Sender", "type": "Type", "state": "State", "description": "Description", "comment": "Comment"}
WAITING = {"account": "Account", "sender": "Sender", "type": "Type", "reason": "Reason", "at": "Registered"}


@click.group(cls=Group)
def sender() -> None:
    """Senders: registered by owners, decided about by operators. `account set --sender` allows any at once."""


@sender.command("list")
@click.argument("name", required=False)
@as_json
@pass_whereabouts
def list_(where: Whereabouts, name: str | None, json_: bool) -> None:
    """The senders of an account; without NAME, all that wait for a decision."""
    found = where.client().get(*(("accounts", name, "senders") if name else ("senders",)))
    if json_:
        print_json(found)
    else:
        print_table(found["items"], COLUMNS if name else WAITING, "no senders" if name else "nothing waits")


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@as_json
@pass_whereabouts
def show(where: Whereabouts, name: str, sender_: str, json_: bool) -> None:
    """One sender, and its documents."""
    tell(where.client().get("accounts", name, "senders", sender_), json_)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@click.option("--reason", required=True, help="What it is for, and why it is the account's.")
@click.option("--description", default="", help="What the owner calls it.")
@click.option(
    "--document",
    "documents",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A PDF, JPEG or PNG that speaks for it, up to 10 MB. Repeatable.",
)
@as_json
@pass_whereabouts
def add(
    where: Whereabouts,
    name: str,
    sender_: str,
    reason: str,
    description: str,
    documents: tuple[Path, ...],
    json_: bool,
) -> None:
    """Register a sender; it can be used once it is approved."""
    client, body = where.client(), {"sender": sender_, "reason": reason, "description": description}
    made = client.post("accounts", name, "senders", body=body)
    for document in documents:
        steps = ("accounts", name, "senders", made["sender"], "documents")
        client.upload(*steps, octets=document.read_bytes(), filename=document.name)
    tell(client.get("accounts", name, "senders", made["sender"]) if documents else made, json_)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@click.argument("document", metavar="ID", type=int)
@pass_whereabouts
def document(where: Whereabouts, name: str, sender_: str, document: int) -> None:
    """Write a document to standard output; `show` has their ids."""
    found = where.client().read("GET", "accounts", name, "senders", sender_, "documents", document)
    click.echo(found, nl=False)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@click.option("--comment", default="", help="The owner reads it.")
@as_json
@pass_whereabouts
def approve(where: Whereabouts, name: str, sender_: str, comment: str, json_: bool) -> None:
    """It may be used from now on."""
    tell(where.client().post("accounts", name, "senders", sender_, "approve", body={"comment": comment}), json_)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@click.option("--comment", required=True, help="Tells the owner why.")
@as_json
@pass_whereabouts
def refuse(where: Whereabouts, name: str, sender_: str, comment: str, json_: bool) -> None:
    """It may not be used."""
    tell(where.client().post("accounts", name, "senders", sender_, "refuse", body={"comment": comment}), json_)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@as_json
@pass_whereabouts
def enable(where: Whereabouts, name: str, sender_: str, json_: bool) -> None:
    """Switch one on again that its owner has switched off."""
    tell(where.client().post("accounts", name, "senders", sender_, "enable", body={}), json_)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@as_json
@pass_whereabouts
def disable(where: Whereabouts, name: str, sender_: str, json_: bool) -> None:
    """Messages that name it are refused from now on."""
    tell(where.client().post("accounts", name, "senders", sender_, "disable", body={}), json_)


@sender.command()
@click.argument("name")
@click.argument("sender_", metavar="SENDER")
@pass_whereabouts
def remove(where: Whereabouts, name: str, sender_: str) -> None:
    """With its documents; what was sent with it stays in the history."""
    where.client().delete("accounts", name, "senders", sender_)
    click.echo(f"{sender_} is removed")


def tell(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(found)
        return
    print_details([(COLUMNS[key], found[key]) for key in COLUMNS])
    for document in found.get("documents", ()):
        click.echo(f"document {document['id']}: {Path(document['name']).name} ({document['size']} octets)")
