"""Tokens of the API, of oneself or of somebody an operator looks after.

Invariant: a token may do what its scopes say, and never more than its person may; it is shown once, when it is made.
"""

from collections.abc import Sequence

from store.office.credentials import MOST_TOKENS
from store.office.people import Person

from . import persons, proofs
from .actor import SCOPES, Actor, Right, rights_of
from .faults import Conflict, Invalid, NotFound, Wrong
from .office import Office
from .shapes import Shape, moment


async def all_of(office: Office, person: Person) -> list[Shape]:
    return [
        {
            "id": each.id,
            "name": each.name,
            "scopes": list(each.scopes),
            "created_at": moment(each.created_at),
            "used_at": moment(each.used_at),
        }
        for each in await office.store.credentials.tokens(person.id)
    ]


async def add(office: Office, actor: Actor, person: Person, name: str, scopes: Sequence[str]) -> Shape:
    """-> with the token itself, this once."""
    if wrong := faults(person, name, scopes):
        raise Invalid(*wrong)
    if len(await office.store.credentials.tokens(person.id)) >= MOST_TOKENS:
        raise Conflict(f"there are {MOST_TOKENS} tokens already; revoke one first")
    made, at, kept = proofs.secret(proofs.MARK), office.wall_ms(), list(dict.fromkeys(map(str, scopes)))
    change = actor.change(at, "token", person.email, new={"name": name.strip(), "scopes": kept})
    token = await office.store.credentials.add_token(made.digest, person.id, name.strip(), kept, at, [change])
    return {"id": token.id, "name": token.name, "scopes": kept, "created_at": moment(at), "token": made.text}


async def revoke(office: Office, actor: Actor, person: Person, id_: int) -> None:
    """It opens nothing from now on."""
    found = [each for each in await office.store.credentials.tokens(person.id) if each.id == id_]
    old = {"name": found[0].name, "scopes": list(found[0].scopes)} if found else None
    change = actor.change(office.wall_ms(), "token", person.email, old)
    if not await office.store.credentials.revoke_token(person.id, id_, [change]):
        raise NotFound(f"there is no token {id_}")


def faults(person: Person, name: str, scopes: Sequence[str]) -> list[Wrong]:
    wrong, possible = list[Wrong](), possible_scopes(person)
    if not 0 < len(name.strip()) <= persons.LONGEST_NAME or not name.isprintable():
        wrong.append(Wrong("name", f"has 1 to {persons.LONGEST_NAME} characters and says what the token is for"))
    strange = [scope for scope in scopes if scope not in possible]
    wrong += [Wrong("scopes", f"{scope!r:.60} is not one of {', '.join(possible)}") for scope in strange]
    if not scopes:
        wrong.append(Wrong("scopes", f"is at least one of {', '.join(possible)}"))
    return wrong


def possible_scopes(person: Person) -> list[Right]:
    return [scope for scope in SCOPES if scope in rights_of(person.operator, person.read_only)]
