"""Time zones by name, for receipts, charts and whatever is shown to people.

Invariant: UTC is there even where no time zone data is installed, and a zone that was asked for once needs no file any
more. Knows no setting.
"""

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(1000)
def zone_of(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
