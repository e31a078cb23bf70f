"""smppgate config check, doctor and audit: is everything as it must be?"""

from typing import TYPE_CHECKING, Any

import click

from .printing import print_json, print_table
from .whereabouts import Command, Failure, Group, Whereabouts, as_json, pass_whereabouts

if TYPE_CHECKING:
    from .client import Client

FINDINGS = {"state": "State", "check": "What", "found": "Found", "advice": "What to do"}


@click.group(cls=Group)
def config() -> None:
    """The configuration file."""


@config.command()
@pass_whereabouts
def check(where: Whereabouts) -> None:
    """Read the configuration and name everything that is wrong with it."""
    found = where.config()
    where_smpp = [*found.smpp.listen, *(found.smpp.tls.listen if found.smpp.tls.enabled else ())]
    click.echo(f"the configuration is fine: SMPP on {', '.join(map(str, where_smpp))}, data in {found.data_dir}")


@click.command(cls=Command)
@as_json
@pass_whereabouts
def doctor(where: Whereabouts, json_: bool) -> None:
    """Look at everything that commonly goes wrong, and say what to do. Exit status 1 if something is bad."""
    from gateway.doctor import examine
    from gateway.doctor.finding import BAD

    settings = where.config()
    client = where.client()
    looked = examine(settings, client.server_answers(), lambda: facts_of(client))
    found = [finding._asdict() for finding in looked]
    if json_:
        print_json(found)
    else:
        print_table(found, FINDINGS, "")
    if any(finding["state"] == BAD for finding in found):
        raise click.exceptions.Exit(1)


def facts_of(client: "Client") -> dict[str, Any] | str | None:
    """What the process that holds the store tells, or why it does not; None where there is no store."""
    if not client.has_store():
        return None
    try:
        told: dict[str, Any] = client.get("doctor")
    except Failure as failure:
        return failure.message
    return told


@click.command(cls=Command)
@as_json
@pass_whereabouts
def audit(where: Whereabouts, json_: bool) -> None:
    """Recompute every balance, ledger line and charge. Exit status 1 if anything does not add up."""
    found = where.client().get("audit")
    if json_:
        print_json(found)
    elif found["ok"]:
        click.echo("the books are right: every balance is the sum of its ledger, every charge is paid for once")
    if not found["ok"]:
        if json_:
            raise click.exceptions.Exit(1)
        raise Failure("the books are wrong\n" + "\n".join(f"  {each}" for each in found["problems"]))
