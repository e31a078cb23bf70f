"""Numbers as those see them who may only look.

Invariant: whatever shows a number to an actor goes through here, so that none of its roads shows the whole of it.
"""

from .actor import Actor
from .shapes import Shape

ADDRESSES = ("source_addr", "destination_addr")


def for_eyes_of(actor: Actor, shape: Shape) -> Shape:
    """What says from whom and to whom; a body that nobody could read holds both, and is left out."""
    if not actor.read_only:
        return shape
    whole = [shape[field] for field in ADDRESSES]
    seen = {**shape, **{field: masked(shape[field]) for field in ADDRESSES}}
    if "body_hex" in shape and not any(whole):
        seen["body_hex"] = None
    if "detail" in shape:  # of a refusal: it may name what was refused
        for number in filter(None, whole):
            seen["detail"] = seen["detail"].replace(number, masked(number))
    return seen


def masked(text: str) -> str:
    """A number without its middle; names stay."""
    digits = text.removeprefix("+")
    if not digits.isdecimal() or len(digits) < 7:
        return text
    return text[:4] + "•" * (len(text) - 6) + text[-2:]
