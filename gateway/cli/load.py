"""smppgate load: how much does an SMPP server bear with this login, ours or anybody else's?

Invariant: it knows what a customer knows, a login and an address; it opens neither the store nor the API.
"""

import re
import sys
from getpass import getpass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .passwords import NOTE, from_stdin
from .printing import print_json
from .whereabouts import Command, Failure, as_json

if TYPE_CHECKING:
    from ssl import SSLContext

    from gateway.load.plan import Plan
    from gateway.load.texts import Text

VARIABLE = "SMPPGATE_LOAD_PASSWORD"
FICTION = "447700900###"  # numbers that are given to nobody
SECONDS, LENGTH, PARTS = 10.0, 40, 3


def shares(_context: click.Context, _option: click.Parameter, value: str | None) -> dict[str, int] | None:
    """gsm=80,ucs2=15,long=5 -> the share of each."""
    if value is None:
        return None
    found: dict[str, int] = {}
    for item in value.split(","):
        pair = re.fullmatch(r"\s*(gsm|ucs2|long)=([0-9]{1,4})\s*", item)
        if pair is None or pair[1] in found:
            raise click.BadParameter(f"{item!r}: write gsm=N, ucs2=N or long=N, each once, separated by commas")
        found[pair[1]] = int(pair[2])
    if not any(found.values()):
        raise click.BadParameter("all shares are 0")
    return found


def destination(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"\+?[0-9#]{1,20}", value):
        raise click.BadParameter("digits, and # for those that count; 20 at most")
    return value.removeprefix("+")


@click.command(cls=Command)
@click.option("--host", "-H", default="127.0.0.1", show_default=True, help="The server.")
@click.option(
    "--port", "-p", type=click.IntRange(1, 65535), metavar="PORT", default=2775, show_default=True, help="And its port."
)
@click.option("--tls", is_flag=True, help="Over TLS; the certificate must fit the host.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Certificates of those who may have signed it, instead of those the system trusts.",
)
@click.option("--insecure", is_flag=True, help="Take any certificate.")
@click.option("--system-id", "-u", required=True, help="The account.")
@click.option("--password", envvar=VARIABLE, callback=from_stdin, help=f"Else ${VARIABLE}, else it is asked for.{NOTE}")
@click.option("--system-type", default="", help="If the account demands one.")
@click.option(
    "--bind",
    "kind",
    type=click.Choice(["transceiver", "transmitter"]),
    default="transceiver",
    show_default=True,
    help="A transmitter gets no receipts.",
)
@click.option(
    "--connections",
    "-c",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=1,
    show_default=True,
    help="Each is one bind.",
)
@click.option(
    "--window",
    "-w",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=10,
    show_default=True,
    help="Unanswered messages of each connection.",
)
@click.option(
    "--rate", type=click.IntRange(0), metavar="N", default=0, help="Messages a second in all; else all it takes."
)
@click.option(
    "--seconds",
    "-t",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help=f"Send for so long. Default {SECONDS:g}, unless --messages is given.",
)
@click.option("--messages", "-n", "total", type=click.IntRange(1), metavar="N", help="Send so many.")
@click.option(
    "--warm-up", type=click.FloatRange(0), metavar="SECONDS", default=0.0, help="Send first without counting."
)
@click.option("--sender", "senders", multiple=True, help="Default smppgate. Repeatable: senders take turns.")
@click.option(
    "--to",
    "destination",
    callback=destination,
    default=FICTION,
    show_default=True,
    help="Destination; every # is a digit that counts.",
)
@click.option("--text", help="What each message says, in parts if it is long; else a text is made up.")
@click.option("--length", type=click.IntRange(1, 160), metavar="N", help=f"Characters of that. Default {LENGTH}.")
@click.option("--mix", callback=shares, help="Shares of made-up texts, such as gsm=80,ucs2=15,long=5.")
@click.option("--parts", type=click.IntRange(2, 255), metavar="N", help=f"Of a long text in the mix. Default {PARTS}.")
@click.option("--receipts", is_flag=True, help="Ask for delivery receipts and wait for all of them.")
@click.option(
    "--wait-receipts",
    "grace",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    default=30.0,
    show_default=True,
    help="Give up what is missing when nothing has come for so long.",
)
@as_json
def load(json_: bool, **given: Any) -> None:
    """Send messages to any SMPP server and measure: how many it takes, how quickly, and what it refuses.

    It spends the account's credit, and what a real network is sent it delivers. Ctrl-C ends it early; the figures are
    printed all the same. Exit status 1 if not all was accepted, or a receipt is missing.
    """
    from gateway.load.crowd import BindError
    from gateway.load.figures import faults, warnings
    from gateway.load.report import report
    from gateway.load.running import run
    from gateway.load.wire import WireError

    from .progress import progress

    plan = planned(given)
    try:
        with progress(plan, shown=not json_ and sys.stderr.isatty()) as tick:
            figures = run(plan, tick=tick)
    except BindError as error:
        raise Failure(str(error)) from None
    except WireError as error:
        raise Failure(f"{plan.host}:{plan.port} does not speak SMPP: {error}") from None
    wrong = faults(figures)
    if json_:
        print_json(figures | {"warnings": warnings(figures), "faults": wrong})
    else:
        click.echo(report(figures))
    if wrong:
        raise click.exceptions.Exit(1)


def planned(given: dict[str, Any]) -> "Plan":
    """A Plan from the flags. UsageError for those that do not go together."""
    from gateway.load.pages import MixError, layout
    from gateway.load.plan import Plan

    if given["receipts"] and given["kind"] == "transmitter":
        raise click.UsageError("a transmitter gets no receipts: take --bind transceiver")
    chosen = {name: given[name] for name in Plan._fields if name in given} | {
        "tls": secured(given),
        "transmitter": given["kind"] == "transmitter",
        "total": given["total"] or 0,
        "seconds": given["seconds"] or (inf if given["total"] else SECONDS),
        "senders": given["senders"] or ("smppgate",),
        "texts": texts(given),
    }
    plan = Plan(**chosen)
    try:
        layout(plan.senders, plan.texts, plan.destination, plan.receipts)
    except MixError as why:
        raise click.UsageError(str(why)) from None
    return plan if given["password"] is not None else plan._replace(password=asked())


def asked() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"no password: set {VARIABLE}, or say --password - and write it to standard input")
    return getpass("Password: ")


def secured(given: dict[str, Any]) -> "SSLContext | None":
    from gateway.load.transport import secured

    if not given["tls"]:
        if given["ca"] or given["insecure"]:
            raise click.UsageError("--ca and --insecure are about --tls")
        return None
    try:
        return secured(given["ca"], insecure=given["insecure"])
    except OSError as error:
        raise click.UsageError(f"{given['ca']} cannot be used: {error}") from None


def texts(given: dict[str, Any]) -> "tuple[Text, ...]":
    from gateway.load.texts import GSM, mixed, written

    words, mix = given["text"], given["mix"]
    if words is not None and any(given[name] is not None for name in ("length", "mix", "parts")):
        raise click.UsageError("--text says it all: leave --length, --mix and --parts away")
    if given["parts"] and not (mix and mix.get("long")):
        raise click.UsageError("--parts is about the long texts of a --mix, such as gsm=9,long=1")
    if words is None:
        return mixed(mix or {GSM: 1}, given["length"] or LENGTH, given["parts"] or PARTS)
    try:
        return (written(words),)
    except ValueError as why:
        raise click.UsageError(f"--text: {why}") from None
