"""What errors mean to those who wait."""

import sqlite3

import pytest

from store.failures import CommitFailed, meaning, of_the_rows
from store.protocol import Contradiction, Insufficient, StoreDown, StoreError, StoreFull


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (sqlite3.IntegrityError(), True),
        (sqlite3.ProgrammingError(), True),
        (Contradiction(), True),
        (OverflowError(), True),
        (sqlite3.OperationalError(), False),
        (sqlite3.DatabaseError(), False),
        (OSError(), False),
        (StoreFull(), False),
    ],
)
def test_whom_to_blame(error: Exception, blamed: bool) -> None:
    assert of_the_rows(error) is blamed


def test_everybody_gets_an_exception_of_his_own() -> None:
    first = StoreFull("full")
    assert meaning(first) is not first
    assert (type(meaning(first)), meaning(first).args) == (StoreFull, ("full",))
    assert type(meaning(Insufficient("poor"))) is Insufficient


@pytest.mark.parametrize(
    ("error", "said"),
    [(sqlite3.IntegrityError("x"), Contradiction), (ValueError("x"), Contradiction), (OSError(5, "x"), StoreDown)],
)
def test_sentences(error: Exception, said: type[StoreError]) -> None:
    assert type(meaning(error)) is said
    assert meaning(error).__cause__ is error


def test_a_commit_that_failed_without_a_code_may_haunt() -> None:
    failed = CommitFailed(None)
    failed.__cause__ = OSError()
    assert failed.may_haunt()
