"""What proves somebody: secrets that are shown once and kept as digests, passwords people choose, one-time codes.

Invariant: a secret made here has at least 128 random bits (a recovery code 80), so its plain SHA-256 can be kept and
looked up: nobody finds it by guessing, and the time a look-up takes tells nothing about it.
"""

import hmac
import secrets
from collections.abc import Iterable
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

import pyotp
import segno

from .faults import Wrong

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
MARK = "smppgate_"  # of a token: so that one that leaked is recognised by those who look for such things
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
STEP = 30  # seconds that a one-time code is good for
DRIFT = 1  # steps that a telephone's clock may be off


class Secret(NamedTuple):
    text: str
    digest: bytes


def digest_of(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def secret(prefix: str = "") -> Secret:
    text = prefix + secrets.token_urlsafe(32)
    return Secret(text, digest_of(text))


def recovery_codes() -> list[Secret]:
    """Written as people copy them: xxxx-xxxx-xxxx-xxxx."""
    codes = ["".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    return [Secret("-".join(code[at : at + 4] for at in range(0, 16, 4)), digest_of(code)) for code in codes]


def recovery_digest(typed: str) -> bytes:
    """However it was typed."""
    return digest_of("".join(character for character in typed.lower() if character.isalnum()))


def weakness(password: str, known: Iterable[str]) -> list[Wrong]:
    """What is wrong with a password somebody chose; `known` is what everybody knows about them."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        length = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD}"
        return [Wrong("password", f"has {length} characters; a short sentence is good")]
    if not password.isprintable():
        return [Wrong("password", "has no control characters or line ends")]
    if len(set(password)) < 5:
        return [Wrong("password", "has at least 5 different characters")]
    if any(len(word) > 3 and word.casefold() in password.casefold() for word in known):
        return [Wrong("password", "does not contain your name or e-mail address")]
    return []


# -- one-time codes --------------------------------------------------------------------------------------------------
def otp_secret() -> str:
    return pyotp.random_base32()


def is_otp_secret(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def otp_uri(secret_: str, email: str) -> str:
    return pyotp.TOTP(secret_).provisioning_uri(name=email, issuer_name="smppgate")


def otp_picture(uri: str) -> str:
    """The address as a QR code: an <svg> without styles."""
    out = BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", scale=4, border=4, xmldecl=False, svgclass=None, lineclass=None)
    return out.getvalue().decode()


def counter_of(secret_: str, code: str, now: float) -> int | None:
    """The time step that this code belongs to, if it is right now."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return None
    otp, present = pyotp.TOTP(secret_), int(now) // STEP
    found = None
    for counter in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(otp.generate_otp(counter), digits):
            found = counter
    return found
