"""smppgate blacklist: numbers that an account does not write to."""

import click

from .printing import print_json, print_table
from .whereabouts import Group, Whereabouts, as_json, pass_whereabouts

COLUMNS = {"number": "Number", "origin": "Why", "at": "Since", "note": "Note"}


@click.group(cls=Group)
def blacklist() -> None:
    """Numbers that answered STOP or were entered by hand."""


@blacklist.command("list")
@click.argument("name")
@click.option("--beginning", default="", help="Only numbers that begin so.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="So many at most.")
@as_json
@pass_whereabouts
def list_(where: Whereabouts, name: str, beginning: str, limit: int, json_: bool) -> None:
    """In the order of the numbers."""
    found = where.client().get("accounts", name, "blacklists", beginning=beginning, limit=limit)
    if json_:
        print_json(found)
    else:
        print_table(found["items"], COLUMNS, "nobody is on the blacklist")


@blacklist.command()
@click.argument("name")
@click.argument("numbers", nargs=-1, required=True)
@click.option("--note", default="", help="Why.")
@pass_whereabouts
def add(where: Whereabouts, name: str, numbers: tuple[str, ...], note: str) -> None:
    """Do not write to these numbers any more."""
    where.client().post("accounts", name, "blacklists", body={"numbers": list(numbers), "note": note})
    click.echo(f"{name} does not write to {', '.join(numbers)} any more")


@blacklist.command()
@click.argument("name")
@click.argument("number")
@pass_whereabouts
def remove(where: Whereabouts, name: str, number: str) -> None:
    """Write to it again; mind that its owner has to want that."""
    where.client().delete("accounts", name, "blacklists", number)
    click.echo(f"{name} writes to {number} again")
