"""Who is written to about an account: the address of its settings, else its first owner."""

from typing import NamedTuple

from acl.settings import InvalidSettings, Settings
from store.protocol import AccountRow, Store


class Contact(NamedTuple):
    email: str
    language: str


async def contact_of(store: Store, row: AccountRow) -> Contact | None:
    """None if nobody is known."""
    try:
        settings = Settings.of(row.settings)
    except InvalidSettings:
        settings = Settings()
    if settings.contact_email:
        return Contact(settings.contact_email, settings.language)
    owners = [person for person in await store.people.owners(row.id) if person.enabled]
    return Contact(owners[0].email, owners[0].language) if owners else None
