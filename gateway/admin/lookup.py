"""From the name an operator types to the account it means."""

from acl.settings import InvalidSettings, Settings
from store.protocol import AccountRow, Store

from .faults import NotFound

PREFIX = "smpp-"


def full_name(name: str) -> str:
    """Every account's name begins alike, so it can be told from other products' accounts; typing it is optional."""
    return name if name.startswith(PREFIX) else PREFIX + name


async def named(store: Store, name: str) -> AccountRow:
    wanted = full_name(name)
    for row in await store.accounts():
        if row.name == wanted:
            return row
    raise NotFound(f"there is no account {wanted}")


def alphabet_of(row: AccountRow) -> str:
    """What data_coding 0 means for this account."""
    try:
        return Settings.of(row.settings).default_alphabet
    except InvalidSettings:
        return Settings().default_alphabet
