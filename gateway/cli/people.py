"""smppgate operator, person, token and change …: who may log in, what programs may do, and what anybody changed."""

from typing import Any

import click

from .client import Client
from .printing import print_details, print_json, print_table
from .whereabouts import MISSING, Failure, Group, Whereabouts, as_json, pass_whereabouts

PEOPLE = {
    "id": "Id",
    "email": "E-mail",
    "name": "Name",
    "operator": "Operator",
    "read_only": "Read only",
    "accounts": "Accounts",
    "invited": "Invited",
    "enabled": "Enabled",
}
TOKENS = {"id": "Id", "name": "Name", "scopes": "May", "created_at": "Made", "used_at": "Last used"}
CHANGES = {
    "id": "Id",
    "at": "At",
    "who": "Who",
    "account": "Account",
    "subject": "What",
    "name": "Name",
    "old": "Before",
    "new": "After",
}
SCOPES = ("read", "settings", "credits", "send", "operate")

of_person = click.argument("email")
name_option = click.option("--name", help="What they are called.")
language_option = click.option("--language", type=click.Choice(["en", "pl"]), help="The language they are written in.")
zone_option = click.option("--time-zone", metavar="ZONE", help="The time zone they are shown times in.")
read_only_option = click.option("--read-only/--no-read-only", default=None, help="May look, and change nothing.")
accounts_option = click.option(
    "--account", "accounts", multiple=True, metavar="NAME", help='An account they own; "" for none. Repeatable.'
)


def fields(**given: Any) -> dict[str, Any]:
    """What was named on the command line, as the API takes it."""
    accounts = given.pop("accounts", ())
    found = {field: value for field, value in given.items() if value is not None}
    return {**found, "accounts": [name for name in accounts if name]} if accounts else found


def id_of(client: Client, email: str) -> int:
    """People are named by their e-mail addresses, and known by numbers."""
    for person in client.get("people")["items"]:
        if person["email"].casefold() == email.casefold():
            return int(person["id"])
    raise Failure(f"nobody has the e-mail address {email}", MISSING)


def invited(client: Client, person: dict[str, Any], json_: bool) -> None:
    """Whoever sits at this machine may hand the link over."""
    link = person if "link" in person else client.post("people", person["id"], "invitation", body={"shown": True})
    if json_:
        print_json({**person, **link})
        return
    print_details([("e-mail", person["email"]), ("link", link["link"]), ("good until", link["expires_at"])])
    click.echo("Whoever opens the link chooses the password. It works once, and is shown only now.")


# -- operators ---------------------------------------------------------------------------------------------------------
@click.group(cls=Group)
def operator() -> None:
    """Operators: see and do everything."""


@operator.command("add")
@of_person
@name_option
@language_option
@zone_option
@read_only_option
@as_json
@pass_whereabouts
def add_operator(where: Whereabouts, /, email: str, json_: bool, **given: Any) -> None:
    """Make an operator and print a one-time link to choose a password with. For one who is there: a new link."""
    client = where.client(create=True)
    known = {each["email"].casefold(): each for each in client.get("people")["items"]}
    person = known.get(email.casefold())
    if person is None:
        person = client.post("people", body={"email": email, "operator": True, "shown": True, **fields(**given)})
    elif not person["operator"]:
        raise Failure(f"{email} is a customer; `smppgate person set {email} --operator` makes an operator", MISSING)
    invited(client, person, json_)


# -- people ------------------------------------------------------------------------------------------------------------
@click.group(cls=Group)
def person() -> None:
    """People who log in: customers and operators."""


@person.command("list")
@as_json
@pass_whereabouts
def list_people(where: Whereabouts, json_: bool) -> None:
    """Everybody."""
    items = where.client().get("people")["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, PEOPLE, "nobody yet; `smppgate operator add EMAIL` makes an operator")


@person.command("add")
@of_person
@name_option
@accounts_option
@language_option
@zone_option
@read_only_option
@as_json
@pass_whereabouts
def add_person(where: Whereabouts, /, email: str, json_: bool, **given: Any) -> None:
    """Add a customer and invite them: by mail where a mail server is configured, else by a link that is shown once."""
    client = where.client(create=True)
    made = client.post("people", body={"email": email, **fields(**given)})
    if "link" in made:
        invited(client, made, json_)
    elif json_:
        print_json(made)
    else:
        click.echo(f"An invitation is on its way to {made['sent_to']}.")


@person.command("set")
@of_person
@click.option("--email", "new_email", metavar="EMAIL", help="Another e-mail address to log in with.")
@name_option
@accounts_option
@language_option
@zone_option
@read_only_option
@click.option("--operator/--customer", default=None, help="Sees everything, or what they own.")
@click.option("--enabled/--disabled", default=None, help="May log in, or is logged out and may not.")
@as_json
@pass_whereabouts
def set_person(where: Whereabouts, /, email: str, new_email: str | None, json_: bool, **given: Any) -> None:
    """Change what is known about somebody. Accounts are replaced as a whole."""
    changes = fields(email=new_email, **given)
    if not changes:
        raise click.UsageError("nothing to change; name something, such as --account smpp-acme")
    client = where.client()
    changed = client.patch("people", id_of(client, email), body=changes)
    if json_:
        print_json(changed)
    else:
        print_details({field: changed[field] for field in PEOPLE})


@person.command("remove")
@of_person
@pass_whereabouts
def remove_person(where: Whereabouts, email: str) -> None:
    """Remove somebody, with their sessions and tokens. What they changed stays in the log."""
    client = where.client()
    client.delete("people", id_of(client, email))
    click.echo(f"{email} is removed.")


@person.command("invite")
@of_person
@as_json
@pass_whereabouts
def invite_person(where: Whereabouts, email: str, json_: bool) -> None:
    """Print a new one-time link to choose a password with; older ones are worthless from now on."""
    client = where.client()
    invited(client, client.get("people", id_of(client, email)), json_)


# -- tokens ------------------------------------------------------------------------------------------------------------
@click.group(cls=Group)
def token() -> None:
    """Tokens for programs that use the HTTP API in somebody's name."""


@token.command("add")
@of_person
@click.option("--name", required=True, help="What it is for.")
@click.option(
    "--scope", "scopes", type=click.Choice(SCOPES), multiple=True, required=True, help="What it may do. Repeatable."
)
@as_json
@pass_whereabouts
def add_token(where: Whereabouts, email: str, name: str, scopes: tuple[str, ...], json_: bool) -> None:
    """Make a token. It is shown this once, and never does more than its person may."""
    client = where.client()
    made = client.post("people", id_of(client, email), "tokens", body={"name": name, "scopes": list(scopes)})
    if json_:
        print_json(made)
    else:
        print_details({field: made[field] for field in ("id", "name", "scopes", "token")})
        click.echo("The token is shown only now; it is stored as a hash.")


@token.command("list")
@of_person
@as_json
@pass_whereabouts
def list_tokens(where: Whereabouts, email: str, json_: bool) -> None:
    """The tokens of somebody."""
    client = where.client()
    items = client.get("people", id_of(client, email), "tokens")["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, TOKENS, f"{email} has no token")


@token.command("revoke")
@of_person
@click.argument("token_id", metavar="ID", type=int)
@pass_whereabouts
def revoke_token(where: Whereabouts, email: str, token_id: int) -> None:
    """It opens nothing from now on."""
    client = where.client()
    client.delete("people", id_of(client, email), "tokens", token_id)
    click.echo(f"Token {token_id} is revoked.")


# -- changes -----------------------------------------------------------------------------------------------------------
@click.group(cls=Group)
def change() -> None:
    """The log of changes: who changed what, when and from where."""


@change.command("list")
@click.option("--account", metavar="NAME", help="Of one account only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, metavar="N", help="At most so many, else 50.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="Those before this one.")
@as_json
@pass_whereabouts
def list_changes(where: Whereabouts, account: str | None, limit: int, before: int | None, json_: bool) -> None:
    """Newest first."""
    items = where.client().get("changes", account=account, limit=limit, before=before)["items"]
    if json_:
        print_json(items)
    else:
        print_table(items, CHANGES, "nothing was changed yet")


@change.command("undo")
@click.argument("change_id", metavar="ID", type=int)
@as_json
@pass_whereabouts
def undo_change(where: Whereabouts, change_id: int, json_: bool) -> None:
    """Give a setting back what it was, unless it was changed again since."""
    account = where.client().post("changes", change_id, "undo")
    if json_:
        print_json(account)
    else:
        click.echo(f"The setting of {account['name']} is what it was before.")
