"""What a look at something says: what was found, whether it is well, and what to do."""

from typing import NamedTuple

GOOD, WARNING, BAD = "ok", "warning", "bad"
MEGABYTE = 1 << 20


class Finding(NamedTuple):
    check: str
    state: str
    found: str
    advice: str = ""
