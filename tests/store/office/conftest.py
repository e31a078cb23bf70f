"""The same stores as for the contract tests."""

from tests.store.conftest import reopen, store

__all__ = ["reopen", "store"]
