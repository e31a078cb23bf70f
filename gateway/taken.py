"""A message that was accepted, as is told to who hands it in without a bind. Knows neither wire nor desk."""

from typing import NamedTuple


class Taken(NamedTuple):
    """Durable and paid."""

    id: int
    charge: int
