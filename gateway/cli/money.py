"""smppgate credit … and price …: what is on an account, and what messages cost."""

import itertools
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import click

from .client import Client
from .printing import print_details, print_json, print_table
from .whereabouts import FAILED, Failure, Group, Whereabouts, as_json, pass_whereabouts

LEDGER = {
    "line": "Line",
    "at": "At",
    "kind": "Kind",
    "amount": "Amount",
    "balance_after": "Balance",
    "messages": "Messages",
    "request_id": "Request",
    "note": "Note",
}
PAGE = 1_000


@click.group(cls=Group)
def credit() -> None:
    """Credits: top up an account, read its ledger."""


@credit.command("add", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("amount", metavar="N")
@click.option("--request-id", help="Book once, however often this is repeated; made up if missing.")
@click.option("--note", default="", help="Kept with the ledger line.")
@as_json
@pass_whereabouts
def add(where: Whereabouts, name: str, amount: str, request_id: str | None, note: str, json_: bool) -> None:
    """Put N credits on an account; up to 4 decimals. A negative N takes them off again, as an adjustment."""
    request = request_id or f"cli-{uuid4()}"
    try:
        line = where.client().post(
            "accounts", name, "credits", body={"amount": amount, "request_id": request, "note": note}
        )
    except Failure as failure:
        if request_id is not None or failure.code != FAILED:
            raise
        raise Failure(f"{failure.message}\n  to repeat it safely, add: --request-id {request}") from None
    if json_:
        print_json(line)
    else:
        print_details({field: line[field] for field in ("account", "kind", "amount", "balance_after", "line")})


@credit.command()
@click.argument("name")
@click.option("--after", default=0, metavar="LINE", help="Begin behind this line.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many lines, else all.")
@click.option("--csv", "csv_", is_flag=True, help="All lines as CSV for a spreadsheet, newest first.")
@as_json
@pass_whereabouts
def ledger(where: Whereabouts, name: str, after: int, limit: int | None, csv_: bool, json_: bool) -> None:
    """Every line that moved an account's balance, in the order of the commits."""
    if csv_:
        sheet = where.client().read("GET", "accounts", name, "statement.csv", by="line")
        click.echo(sheet.decode("utf-8").replace("\r\n", "\n"), nl=False)
        return
    lines = list(itertools.islice(all_lines(where.client(), name, after, limit), limit))
    if json_:
        print_json(lines)
    else:
        print_table(lines, LEDGER, f"nothing was ever booked on {name}")


def all_lines(client: Client, name: str, after: int, limit: int | None) -> Iterator[Any]:
    following: int | None = after
    while following is not None:
        page = client.get("accounts", name, "ledger", after=following, limit=min(limit or PAGE, PAGE))
        yield from page["items"]
        following = page["next"]


@click.group(cls=Group)
def price() -> None:
    """Price plans: credits a part, by the first digits of the destination."""


@price.command("list")
@as_json
@pass_whereabouts
def list_(where: Whereabouts, json_: bool) -> None:
    """All price plans."""
    items = where.client().get("price-plans")["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, {"name": "Plan", "prices": "Credits a part, by prefix"}, "no price plans")


@price.command()
@click.argument("plan")
@as_json
@pass_whereabouts
def show(where: Whereabouts, plan: str, json_: bool) -> None:
    """The prices of one plan; * is every other destination."""
    print_plan(where.client().get("price-plans", plan), json_)


@price.command("set")
@click.argument("plan")
@click.argument("prices", metavar="PREFIX=CREDITS…", nargs=-1)
@click.option("--remove", multiple=True, metavar="PREFIX", help="Take a prefix out of the plan. Repeatable.")
@as_json
@pass_whereabouts
def set_(where: Whereabouts, plan: str, prices: tuple[str, ...], remove: tuple[str, ...], json_: bool) -> None:
    """Change prices of a plan, or make one: smppgate price set default 48=0.5 '*=1'. The longest prefix counts."""
    changes = dict(pair(text) for text in prices)
    if not changes and not remove:
        raise click.UsageError("nothing to change; name a price, such as 48=0.5")
    client = where.client()
    known = {each["name"]: each["prices"] for each in client.get("price-plans")["items"]}.get(plan, {})
    if absent := [prefix for prefix in remove if prefix not in known]:
        raise Failure(f"the plan {plan} has no price for {', '.join(absent)}", 3)
    kept = {prefix: cost for prefix, cost in known.items() if prefix not in remove}
    print_plan(client.put("price-plans", plan, body={"prices": kept | changes}), json_)


@price.command("delete")
@click.argument("plan")
@pass_whereabouts
def delete(where: Whereabouts, plan: str) -> None:
    """Delete a plan that no account has. The plan default stays."""
    where.client().delete("price-plans", plan)
    click.echo(f"the price plan {plan} is deleted")


def pair(text: str) -> tuple[str, str]:
    prefix, equals, cost = text.partition("=")
    if not equals or not cost:
        raise click.BadParameter(f"{text!r} is written as PREFIX=CREDITS, such as 48=0.5", param_hint="PREFIX=CREDITS")
    return prefix.removeprefix("+") or "*", cost


def print_plan(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(found)
    else:
        rows = [{"prefix": prefix, "price": cost} for prefix, cost in found["prices"].items()]
        print_table(rows, {"prefix": "Prefix", "price": "Credits a part"}, f"{found['name']} has no prices")
