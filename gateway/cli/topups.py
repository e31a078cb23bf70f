"""smppgate credit request, topups, approve, refuse, transfer, statement; smppgate estimate."""

import itertools
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import click

from .client import Client
from .money import credit
from .printing import print_details, print_json, print_table
from .whereabouts import FAILED, Command, Failure, Whereabouts, as_json, pass_whereabouts

PAGE = 500
TOPUPS = {
    "id": "Id",
    "at": "At",
    "account": "Account",
    "amount": "Credits",
    "state": "State",
    "who": "Asked by",
    "note": "Note",
    "reason": "Reason",
    "answer": "Payment service",
}
STATEMENT = {
    "from": "From",
    "to": "To",
    "kind": "Kind",
    "messages": "Messages",
    "amount": "Credits",
    "balance_after": "Balance",
    "account": "Account",
    "note": "Note",
}
ESTIMATE = ("credits", "parts", "characters", "maxCharactersPerPart", "coding", "price_per_part", "prefix", "balance")
DECIDED = ("id", "account", "amount", "state", "reason", "line")
request_id = click.option("--request-id", help="Counts once, however often this is repeated; made up if missing.")


def asked(where: Whereabouts, *steps: object, body: dict[str, Any], request: str | None) -> Any:
    """POST with a request id; if it was made up here and the answer was lost, it is told."""
    made_up = request or f"cli-{uuid4()}"
    try:
        return where.client().post(*steps, body={**body, "request_id": made_up})
    except Failure as failure:
        if request is not None or failure.code != FAILED:
            raise
        raise Failure(f"{failure.message}\n  to repeat it safely, add: --request-id {made_up}") from None


@credit.command()
@click.argument("source")
@click.argument("target")
@click.argument("amount", metavar="N")
@request_id
@click.option("--note", default="", help="Kept with both ledger lines.")
@as_json
@pass_whereabouts
def transfer(
    where: Whereabouts, source: str, target: str, amount: str, request_id: str | None, note: str, json_: bool
) -> None:
    """Move N credits from one account to another, at once: 1 up to the balance."""
    body = {"target": target, "credits": amount, "note": note}
    moved = asked(where, "accounts", source, "transferCredits", body=body, request=request_id)
    if json_:
        print_json(moved)
    else:
        print_table(
            [moved["from"], moved["to"]],
            {"account": "Account", "amount": "Credits", "balance_after": "Balance", "line": "Line"},
            "nothing was moved",
        )


@credit.command()
@click.argument("name")
@click.option("--by", type=click.Choice(("hour", "day", "line")), default="hour", help="How messages are summed.")
@click.option(
    "--kind",
    type=click.Choice(("all", "messages", "refunds", "topups", "transfers", "adjustments")),
    default="all",
    help="Only these lines.",
)
@click.option("--from", "since", default="", metavar="TIME", help="A day, or a moment by RFC 3339.")
@click.option("--to", "until", default="", metavar="TIME", help="A day, which is meant to its end, or a moment.")
@click.option("--limit", type=click.IntRange(1), default=50, metavar="N", help="At most so many lines.")
@as_json
@pass_whereabouts
def statement(
    where: Whereabouts, name: str, by: str, kind: str, since: str, until: str, limit: int, json_: bool
) -> None:
    """What moved an account's balance, newest first, the price of messages summed up."""
    query, steps = {"by": by, "kind": kind, "from": since, "to": until}, ("accounts", name, "statement")
    found = list(itertools.islice(pages(where.client(), steps, "before", limit, query), limit))
    if json_:
        print_json(found)
    else:
        print_table(found, STATEMENT, f"nothing of this kind was booked on {name}")


@credit.command("request")
@click.argument("name")
@click.argument("amount", metavar="N")
@request_id
@click.option("--note", default="", help="Shown to whoever decides, and in the statement.")
@as_json
@pass_whereabouts
def request_(where: Whereabouts, name: str, amount: str, request_id: str | None, note: str, json_: bool) -> None:
    """Ask for N credits: given when the payment service says that they are paid, or by `approve`."""
    body = {"amount": amount, "note": note}
    print_topup(asked(where, "accounts", name, "topups", body=body, request=request_id), json_)


@credit.command()
@click.option("--account", "name", help="All of this account, newest first; else what waits, of all accounts.")
@click.option("--limit", type=click.IntRange(1), default=50, metavar="N", help="At most so many.")
@as_json
@pass_whereabouts
def topups(where: Whereabouts, name: str | None, limit: int, json_: bool) -> None:
    """Top-ups that were asked for, and what became of them."""
    steps, cursor = (("accounts", name, "topups"), "before") if name else (("topups",), "after")
    found = list(itertools.islice(pages(where.client(), steps, cursor, limit, {}), limit))
    if json_:
        print_json(found)
    else:
        print_table(found, TOPUPS, "no top-up was asked for" if name else "no top-up waits")


@credit.command()
@click.argument("topup", metavar="ID", type=int)
@as_json
@pass_whereabouts
def approve(where: Whereabouts, topup: int, json_: bool) -> None:
    """Give the credit that was asked for; once, however often this is repeated."""
    print_topup(where.client().post("topups", topup, "approve"), json_)


@credit.command()
@click.argument("topup", metavar="ID", type=int)
@click.option("--reason", default="", help="The owner reads it.")
@as_json
@pass_whereabouts
def refuse(where: Whereabouts, topup: int, reason: str, json_: bool) -> None:
    """Give no credit for this request."""
    print_topup(where.client().post("topups", topup, "refuse", body={"reason": reason}), json_)


def print_topup(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(found)
    else:
        print_details({field: found[field] for field in DECIDED if found[field] not in (None, "")})


def pages(client: Client, steps: tuple[str, ...], cursor: str, limit: int, query: dict[str, str]) -> Iterator[Any]:
    following: int | None = 0 if cursor == "after" else None
    while True:
        page = client.get(*steps, **{**query, cursor: following, "limit": min(limit, PAGE)})
        yield from page["items"]
        following = page["next"]
        if following is None:
            return


@click.command(cls=Command)
@click.argument("text")
@click.option("--account", help="Who would send it; needed where there are several accounts.")
@click.option("--to", default="", metavar="NUMBER", help="Its recipient; without one there is no price.")
@click.option("--from", "sender", default="", metavar="SENDER", help="If missing, one that the account may use.")
@click.option("--coding", type=click.Choice(("auto", "alphabet", "ucs2")), default="auto", help="How it is encoded.")
@as_json
@pass_whereabouts
def estimate(
    where: Whereabouts, text: str, account: str | None, to: str, sender: str, coding: str, json_: bool
) -> None:
    """What would this message cost? Judged as a real one, and not sent."""
    body = {"message": text, "account": account, "to": to, "sender": sender, "coding": coding}
    found = where.client().post("estimate", body=body)
    if json_:
        print_json(found)
        return
    print_details({field: found[field] for field in ESTIMATE if found[field] is not None})
    if found["refused"]:
        raise Failure(f"it would be refused: {found['refused']}: {found['why']}")
