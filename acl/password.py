"""Passwords: made, hashed, checked, and remembered for the next bind.

Invariant: what is stored is argon2id; what is remembered is a digest under a key that never leaves the process, and it
covers the stored hash too, so it dies with a change of password. An error in a check is a wrong password.
"""

import hmac
from hashlib import blake2b
from random import Random

from argon2 import PasswordHasher, Type

LENGTH = 8  # what SMPP has room for
ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without 0 O o, 1 l I i

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)

# Of 32 random octets that nobody kept: checked where there is no account, so that the time taken tells nothing.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$7iog4DweZKOxTxzDO9YTrA$1vVSXDKaFZFYEMY55wjIayUf5s7blWypIwvLwh+zFjY"


def password(text: str) -> str:
    """A password that a client can send; ValueError says what is wrong with it."""
    if not 1 <= len(text) <= LENGTH or not (text.isascii() and text.isprintable()):
        raise ValueError(f"has 1 to {LENGTH} printable ASCII characters: SMPP has no room for more")
    return text


def generate(random: Random, length: int = LENGTH) -> str:
    """A new password. `random` is `secrets.SystemRandom()` wherever it counts."""
    return "".join(random.choice(ALPHABET) for _ in range(length))


def hash_password(text: str) -> str:
    """What is stored. Takes some 30 ms and 19 MiB, on purpose: not for the event loop."""
    return _HASHER.hash(text)


def verify(password_hash: str, password: bytes) -> bool:
    """Is this the password of that hash? As slow as `hash_password`."""
    try:
        return _HASHER.verify(password_hash, password)
    except Exception:  # a mismatch, or a hash that cannot be read
        return False


class Known:
    """Passwords that were right before, as keyed digests: one for an account, so a further bind costs a microsecond."""

    __slots__ = ("_digests", "_key")

    def __init__(self, key: bytes) -> None:
        """`key`: 32 random octets, new for each process."""
        if not 16 <= len(key) <= blake2b.MAX_KEY_SIZE:
            raise ValueError("the key has 16 to 64 octets")
        self._key = key
        self._digests: dict[int, bytes] = {}

    def remember(self, account_id: int, password_hash: str, password: bytes) -> None:
        self._digests[account_id] = self._digest(password_hash, password)

    def matches(self, account_id: int, password_hash: str, password: bytes) -> bool:
        digest = self._digest(password_hash, password)
        return hmac.compare_digest(self._digests.get(account_id, b""), digest)

    def forget(self, account_id: int) -> None:
        self._digests.pop(account_id, None)

    def _digest(self, password_hash: str, password: bytes) -> bytes:
        return blake2b(password_hash.encode() + b"\0" + password, key=self._key, digest_size=32).digest()
