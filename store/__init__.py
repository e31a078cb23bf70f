"""What survives: accounts, money, messages and how they ended. The only SQL. Knows no wire and no rules."""

from .sqlite import open_store

__all__ = ["open_store"]
