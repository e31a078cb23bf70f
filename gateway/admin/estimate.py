"""What would this message cost? The text is encoded as most clients do, and judged by what judges real messages.

Invariant: parts, price and reason are those of `acl.judge` over a submit_sm that is never sent, and nothing is taken
from the account. Credit and rate of the moment are left out; the balance is shown beside.
"""

import re
from typing import Any, NamedTuple

from acl.judge import Policy, Purse, judge
from acl.money import LARGEST, as_credits
from acl.rate import Rate
from acl.reasons import REASONS, Refusal
from acl.senders import ANY, wire
from acl.settings import InvalidSettings, Settings
from acl.tariff import EVERYWHERE
from gateway.smpp.parts import counter
from pdu import gsm, tlv
from pdu.bodies import SUBMIT_SM_BODY, SubmitSm, address, user_data
from pdu.constants import TLV_MESSAGE_PAYLOAD as PAYLOAD
from pdu.text import GSM, LATIN1, PACKED, UCS2, capacity, encode
from store.protocol import AccountRow

from .actor import Actor
from .faults import Conflict, Invalid, Wrong
from .office import Office
from .prices import shape as plan_shape
from .shapes import Shape

CODINGS = ("auto", "alphabet", "ucs2")
LONGEST_TEXT = 20_000
FITS = 254  # octets, into a short_message; what is longer is sent as message_payload
ANYBODY = "smppgate"
NAMES = {GSM: "GSM 03.38", PACKED: "GSM 03.38, packed", LATIN1: "Latin-1", UCS2: "UCS-2"}
NUMBER = re.compile(r"\+?[0-9]{0,20}")
NOBODY = b"\0\0\0"


class Asked(NamedTuple):
    text: str
    to: str = ""
    sender: str = ""
    coding: str = "auto"


class Estimates:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor

    async def price(self, name: str | None, asked: Asked) -> Shape:
        """`name` may be left out by whoever has one account only."""
        row = await self._account(name)
        settings = readable(row)
        kind, message = composed(asked, settings)
        plan = (await self._office.store.price_plans()).get(settings.price_plan, {})
        blocked = await self._blocked(row, asked.to.removeprefix("+"))
        return {
            "account": row.name,
            "price_plan": settings.price_plan,
            **counted(kind, message, settings, asked.text),
            **priced(Policy(settings, plan, blocked), message, bool(asked.to)),
            "blacklisted": bool(blocked),
            "balance": as_credits(row.balance),
        }

    async def plan(self, name: str) -> Shape:
        """The prices that the account pays."""
        settings = readable(await self._office.named(self._actor, name))
        prices = (await self._office.store.price_plans()).get(settings.price_plan, {})
        return plan_shape(settings.price_plan, prices)

    async def _blocked(self, row: AccountRow, number: str) -> frozenset[bytes]:
        """The recipient, if it stands on the account's blacklist."""
        found = await self._office.store.blacklist.page(row.id, beginning=number, limit=1) if number else []
        return frozenset([one.number.encode("ascii") for one in found if one.number == number])

    async def _account(self, name: str | None) -> AccountRow:
        if name:
            return await self._office.named(self._actor, name)
        rows = await self._office.seen(self._actor)
        if len(rows) != 1:
            raise Invalid(Wrong("account", "is missing: name the account that would send it"))
        return rows[0]


def readable(row: AccountRow) -> Settings:
    try:
        return Settings.of(row.settings)
    except InvalidSettings as invalid:
        raise Conflict(f"the settings of {row.name} cannot be read: {invalid}") from None


def composed(asked: Asked, settings: Settings) -> tuple[str, SubmitSm]:
    """-> what the text is encoded in, and the message."""
    wrong: list[Wrong] = []
    if len(asked.text) > LONGEST_TEXT:
        wrong.append(Wrong("text", f"has at most {LONGEST_TEXT} characters"))
    if asked.coding not in CODINGS:
        wrong.append(Wrong("coding", f"is one of: {', '.join(CODINGS)}"))
    try:
        source = wire(asked.sender) if asked.sender else usual(settings)
    except ValueError as why:
        source = NOBODY
        wrong.append(Wrong("from", str(why)))
    if not NUMBER.fullmatch(asked.to):
        wrong.append(Wrong("to", "is an international number such as 48600100200"))
    data_coding, octets = (0, b"") if wrong else encoded(asked, settings.default_alphabet, wrong)
    if wrong:
        raise Invalid(*wrong)
    to = address(1, 1, asked.to.removeprefix("+").encode("ascii"))
    kind = UCS2 if data_coding else settings.default_alphabet
    said: dict[str, Any] = {"short_message": octets}
    if len(octets) > FITS:
        said = {"tlvs": tlv.encode([(PAYLOAD, octets)])}
    return kind, SUBMIT_SM_BODY.build(source=source, destination=to, data_coding=data_coding, **said)


def usual(settings: Settings) -> bytes:
    """A sender that the account may use, where nobody named one."""
    if settings.default_sender:
        return wire(settings.default_sender)
    names = [name for name in settings.senders if name != ANY]
    return wire(names[0]) if names else wire(ANYBODY) if settings.senders else NOBODY


def encoded(asked: Asked, alphabet: str, wrong: list[Wrong]) -> tuple[int, bytes]:
    if asked.coding == "ucs2":
        return 8, asked.text.encode("utf-16-be", "surrogatepass")
    data_coding, octets = encode(asked.text, alphabet)
    if data_coding and asked.coding == "alphabet":
        strange = next(one for one in asked.text if encode(one, alphabet)[0])
        wrong.append(Wrong("text", f"{strange!r} is not in the account's alphabet, {NAMES[alphabet]}; UCS-2 has it"))
    return data_coding, octets


def counted(kind: str, message: SubmitSm, settings: Settings, text: str) -> Shape:
    parts = counter(settings.default_alphabet)(message)
    octets = len(user_data(message))
    return {
        "characters": len(gsm.encode(text)) if kind == PACKED else octets // 2 if kind == UCS2 else octets,
        "charactersClass": "unicode" if kind == UCS2 else "latin1" if kind == LATIN1 else "7bits",
        "maxCharactersPerPart": capacity(kind, max(1, parts)),
        "parts": parts,
        "coding": NAMES[kind],
        "data_coding": message.data_coding,
    }


def priced(policy: Policy, message: SubmitSm, to_somebody: bool) -> Shape:
    """`refused` is the reason why it would not be accepted, `why` the same in words."""
    if not to_somebody:
        return dict.fromkeys(("price_per_part", "credits", "prefix", "refused", "why"))
    parts = counter(policy.settings.default_alphabet)
    [verdict] = judge(policy, Purse(LARGEST, Rate(0, 0)), [message], 0.0, parts)
    price, prefix = policy.tariff.price(message.destination), policy.tariff.prefix(message.destination)
    refused = verdict.reason if isinstance(verdict, Refusal) else None
    return {
        "price_per_part": None if isinstance(price, Refusal) else as_credits(price),
        "credits": None if isinstance(verdict, Refusal) else as_credits(verdict),
        "prefix": "*" if prefix == EVERYWHERE else prefix,
        "refused": refused,
        "why": REASONS.get(refused) if refused else None,
    }
