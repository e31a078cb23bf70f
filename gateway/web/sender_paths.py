"""A sender as a part of an address, in the panel and in the API.

Invariant: every sender has an address that a browser leaves as it is: it takes a part of dots alone for a step, so such
a sender gets a + in front there, with which no sender but a number begins.
"""

from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator

DOTS = frozenset({".", ".."})


def in_path(sender: str) -> str:
    return quote(f"+{sender}" if sender in DOTS else sender, safe="")


def from_path(text: str) -> str:
    return text[1:] if text[:1] == "+" and text[1:] in DOTS else text


Sender = Annotated[str, AfterValidator(from_path)]
