"""smppgate account …: who may bind, from where, and with which settings."""

from typing import Any

import click

from acl.settings import BY_NAME

from .flags import given, setting_options
from .passwords import password_option
from .printing import print_details, print_json, print_table, warn
from .whereabouts import Group, Whereabouts, as_json, pass_whereabouts

LISTED = {
    "name": "Account",
    "system_id": "system_id",
    "status": "Status",
    "balance": "Credits",
    "binds": "Binds",
    "throughput": "Parts/s",
    "window": "Window",
    "senders": "Senders",
    "addresses": "Addresses",
    "description": "Description",
}


@click.group(cls=Group)
def account() -> None:
    """Accounts: create, show, change, disable, addresses, passwords."""


@account.command()
@click.argument("name")
@click.option("--system-id", help="At most 15 characters fit into a bind; made up if missing.")
@password_option("At most 8 characters fit into a bind; made up if missing.")
@click.option("--credits", "credits_", metavar="CREDITS", help="The first topup.")
@setting_options
@as_json
@pass_whereabouts
def add(
    where: Whereabouts,
    /,
    name: str,
    system_id: str | None,
    password: str | None,
    credits_: str | None,
    json_: bool,
    **flags: Any,
) -> None:
    """Create an account. NAME gets the prefix smpp- if it has none. The password is shown this once."""
    identity = {"name": name, "system_id": system_id, "password": password, "credits": credits_}
    fields = {field: value for field, value in identity.items() if value is not None} | given(flags)
    made = where.client(create=True).post("accounts", body=fields)
    warn(made["warnings"])
    if json_:
        print_json(made)
        return
    print_login(made)
    if made["status"] == "WAITING_IP":
        click.echo(f"Nobody can bind yet: authorise an address with `smppgate account ip add {made['name']} ADDRESS`.")


def print_login(made: dict[str, Any]) -> None:
    print_details(
        {field: made[field] for field in ("name", "system_id", "password", "status", "balance") if field in made}
    )
    click.echo("The password is shown only now; it is stored as a hash.")


@account.command("list")
@as_json
@pass_whereabouts
def list_(where: Whereabouts, json_: bool) -> None:
    """All accounts."""
    items = where.client().get("accounts")["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, LISTED, "no accounts yet; `smppgate account add NAME` makes one")


@account.command()
@click.argument("name")
@as_json
@pass_whereabouts
def show(where: Whereabouts, name: str, json_: bool) -> None:
    """One account with all its settings."""
    print_account(where.client().get("accounts", name), json_)


@account.command("set")
@click.argument("name")
@click.option(
    "--reset",
    type=click.Choice(list(BY_NAME)),
    metavar="SETTING",
    multiple=True,
    help="Give a setting its default back, by its name with underscores. Repeatable.",
)
@setting_options
@as_json
@pass_whereabouts
def set_(where: Whereabouts, /, name: str, reset: tuple[str, ...], json_: bool, **flags: Any) -> None:
    """Change settings. Lists are replaced as a whole; "" empties one. Open sessions follow at once."""
    fields = dict.fromkeys(reset) | given(flags)
    if not fields:
        raise click.UsageError("nothing to change; name a setting, such as --window 20")
    print_account(where.client().patch("accounts", name, body=fields), json_)


@account.command()
@click.argument("name")
@as_json
@pass_whereabouts
def disable(where: Whereabouts, name: str, json_: bool) -> None:
    """Refuse its binds and unbind its sessions."""
    print_account(where.client().post("accounts", name, "disable"), json_)


@account.command()
@click.argument("name")
@as_json
@pass_whereabouts
def enable(where: Whereabouts, name: str, json_: bool) -> None:
    """Let it bind again."""
    print_account(where.client().post("accounts", name, "enable"), json_)


@account.group()
def ip() -> None:
    """Addresses from which an account may bind."""


@ip.command("add")
@click.argument("name")
@click.argument("address")
@as_json
@pass_whereabouts
def add_address(where: Whereabouts, name: str, address: str, json_: bool) -> None:
    """Authorise an IPv4 or IPv6 address, or a network such as 192.0.2.0/24."""
    print_addresses(where.client().post("accounts", name, "addresses", body={"address": address}), json_)


@ip.command("rm")
@click.argument("name")
@click.argument("address")
@as_json
@pass_whereabouts
def remove_address(where: Whereabouts, name: str, address: str, json_: bool) -> None:
    """Authorise it no longer; sessions from there are unbound."""
    print_addresses(where.client().delete("accounts", name, "addresses", address), json_)


@account.command("rotate-password")
@click.argument("name")
@click.option("--drop-binds", is_flag=True, help="Also unbind the sessions that are open.")
@click.option("--mail", is_flag=True, help="Send it to the account's contact; it is shown to nobody else.")
@as_json
@pass_whereabouts
def rotate_password(where: Whereabouts, name: str, drop_binds: bool, mail: bool, json_: bool) -> None:
    """Make a new password. The old one is refused for new binds at once; by mail, once the letter has left."""
    if mail:
        client, resource = where.client(), ("accounts", name, "smpp", "password")
        client.post(*resource, body={"drop_binds": drop_binds})
        asked = client.get(*resource)
        if json_:
            print_json(asked)
        else:
            click.echo(f"a new password for {asked['account']} is on its way to {asked['email']}")
        return
    made = where.client().post("accounts", name, "password", body={"drop_binds": drop_binds})
    if json_:
        print_json(made)
    else:
        print_login(made)


@account.command()
@click.argument("name")
@click.option("--json", "json_", is_flag=True, help="The only form there is; may be left out.")
@pass_whereabouts
def export(where: Whereabouts, name: str, json_: bool) -> None:
    """Balance, messages and ledger as one JSON object, read at one instant."""
    click.echo(where.client().read("GET", "accounts", name, "export").decode(), nl=False)


def print_account(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(found)
    else:
        print_details(found)


def print_addresses(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(found)
    else:
        print_details({field: found[field] for field in ("name", "status", "addresses")})
