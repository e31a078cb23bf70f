"""A message that was accepted, as whoever hands messages in without a bind is told of it. Knows neither wire nor desk."""

from typing import NamedTuple


class Taken(NamedTuple):
    """Durable and paid."""

    id: int
    charge: int
