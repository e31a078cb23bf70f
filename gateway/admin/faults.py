"""Why an operation was not done: one class for each kind of answer, whoever asked."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple


class Wrong(NamedTuple):
    """A field that cannot be taken as it is; `reason` says what is wrong with it and what would be right."""

    field: str
    reason: str


class Fault(Exception):  # noqa: N818 - it is an answer, not an accident
    """Not done, and nothing was changed."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, errors: Iterable[Wrong] = ()) -> None:
        super().__init__(detail)
        self.detail, self.errors = detail, tuple(errors)


class Invalid(Fault):
    """What was asked for cannot be: the errors name field by field why."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, *errors: Wrong) -> None:
        super().__init__("; ".join(f"{wrong.field}: {wrong.reason}" for wrong in errors), errors)


class Unauthenticated(Fault):
    """Nobody knows who asks."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Fault):
    """Whoever asks may not do this, though it is there."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Fault):
    status = HTTPStatus.NOT_FOUND


class Conflict(Fault):
    """It would contradict what is already there."""

    status = HTTPStatus.CONFLICT


class Stale(Fault):
    """What was seen when this was decided is not what is there now."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooMany(Fault):
    """Not now: too many attempts are waiting already."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(Fault):
    """It cannot be done now: the store is full or down, or no server runs."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
