"""smppgate mail: the outbox, and whether the mail server takes letters."""

from typing import Any

import click

from .printing import print_details, print_json, print_table
from .whereabouts import Failure, Group, Whereabouts, as_json, pass_whereabouts

COLUMNS = {
    "id": "Letter", "at": "Asked for", "kind": "Kind", "about": "About", "state": "State", "tries": "Tries",
    "error": "What the mail server said",
}  # fmt: skip


@click.group(cls=Group)
def mail() -> None:
    """Letters to people, and what became of them."""


@mail.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="So many at most.")
@as_json
@pass_whereabouts
def list_(where: Whereabouts, limit: int, json_: bool) -> None:
    """The outbox, newest first."""
    found = where.client().get("mail", limit=limit)
    if json_:
        print_json(found)
    else:
        print_table([about(letter) for letter in found["items"]], COLUMNS, "no letter was ever asked for")


@mail.command()
@click.argument("letter", type=int)
@as_json
@pass_whereabouts
def retry(where: Whereabouts, letter: int, json_: bool) -> None:
    """Send a letter now, also one that was given up."""
    tell(where.client().post("mail", str(letter), "retry", body={}), json_)


@mail.command()
@click.argument("letter", type=int)
@as_json
@pass_whereabouts
def discard(where: Whereabouts, letter: int, json_: bool) -> None:
    """Do not send a letter any more."""
    tell(where.client().post("mail", str(letter), "discard", body={}), json_)


@mail.command()
@click.argument("address")
@as_json
@pass_whereabouts
def test(where: Whereabouts, address: str, json_: bool) -> None:
    """Send a letter that only shows that mail works. Exit status 1 if the mail server did not take it."""
    letter = where.client().post("mail", body={"to": address})
    tell(letter, json_)
    if letter["state"] != "sent":
        raise Failure(f"it has not left yet: {letter['error'] or 'the mail server has not answered'}")


def about(letter: dict[str, Any]) -> dict[str, Any]:
    return {**letter, "about": letter["account"] or letter["person"] or letter["to"] or ""}


def tell(letter: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(letter)
    else:
        print_details([(COLUMNS[key], value) for key, value in about(letter).items() if key in COLUMNS])
