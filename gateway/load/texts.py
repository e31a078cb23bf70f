"""What a run sends: texts, the parts they make, and their order in a mix.

Invariant: everything is encoded and cut here, before the clock starts. A text of several parts has a header with a
reference of one octet in each; `REFERENCE` is where it stands.
"""

from collections.abc import Mapping
from math import gcd
from typing import NamedTuple

from pdu import text

GSM, UCS2, LONG = "gsm", "ucs2", "long"
KINDS = (GSM, UCS2, LONG)
REFERENCE = 3  # octet of the user data: length of the header, element, its length, reference
EACH = 153  # septets in one of several parts
LONGEST_UCS2 = 70  # characters in a message by itself
PLAIN = "The quick brown fox jumps over the lazy dog 0123456789. "
ACCENTED = "Zażółć gęślą jaźń, Łódź, święto, ćma 0123456789. "


class Text(NamedTuple):
    kind: str
    data_coding: int
    parts: tuple[bytes, ...]  # short_message of each submit_sm


def octets(length: int) -> Text:
    """So many octets of plain text in one submit_sm, whatever a server makes of more than 160."""
    return Text(GSM, 0, (_filled(PLAIN, length).encode(),))


def written(words: str) -> Text:
    """GSM 03.38 if it can be, else UCS-2; in parts if it must be. ValueError beyond 255 parts."""
    data_coding, encoded = text.encode(words)
    parts = tuple(text.split(data_coding, encoded, 0))
    return Text(LONG if len(parts) > 1 else UCS2 if data_coding else GSM, data_coding, parts)


def sample(kind: str, length: int, parts: int) -> Text:
    """Of GSM or UCS-2 `length` characters, of UCS-2 70 at most; a long one fills its parts."""
    if kind == LONG:
        return written(_filled(PLAIN, parts * EACH))
    if kind == UCS2:
        return Text(UCS2, 8, (_filled(ACCENTED, min(length, LONGEST_UCS2)).encode("utf-16-be"),))
    return octets(length)


def mixed(shares: Mapping[str, int], length: int, parts: int) -> tuple[Text, ...]:
    """The shortest run of texts that has each kind in its share, evenly spread."""
    chosen = {kind: share for kind, share in shares.items() if share}
    samples = {kind: sample(kind, length, parts) for kind in chosen}
    whole, unit = sum(chosen.values()), gcd(*chosen.values())
    owed, run = dict.fromkeys(chosen, 0), list[Text]()
    for _ in range(whole // unit):
        for kind, share in chosen.items():
            owed[kind] += share
        due = max(owed, key=owed.__getitem__)
        owed[due] -= whole
        run.append(samples[due])
    return tuple(run)


def _filled(words: str, length: int) -> str:
    return (words * (length // len(words) + 1))[:length]
