import secrets
from random import Random

import pytest
from argon2 import Type, extract_parameters

from acl.password import ALPHABET, DUMMY_HASH, Known, generate, hash_password, password, verify

HASHED = hash_password("s3cret!")
KEY = bytes(range(32))


def test_a_hash_knows_its_password_and_no_other() -> None:
    assert verify(HASHED, b"s3cret!")
    assert not any(verify(HASHED, other) for other in (b"", b"s3cret", b"S3cret!", b"s3cret!\0", b"\xff"))


def test_hashes_are_salted() -> None:
    assert hash_password("s3cret!") != HASHED
    assert "s3cret" not in HASHED


@pytest.mark.parametrize("hashed", [HASHED, DUMMY_HASH], ids=["real", "dummy"])
def test_hashes_are_as_costly_as_they_should_be(hashed: str) -> None:
    """The dummy too: otherwise the time taken would tell who exists."""
    cost = extract_parameters(hashed)
    assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 19 * 1024, 2, 1)
    assert (cost.hash_len, cost.salt_len) == (32, 16)


@pytest.mark.parametrize(
    "hashed",
    ["", "plain", "$argon2id$", "$argon2id$v=19$m=1$x$y", pytest.param(HASHED[:-5], id="cut short"), "\udcff", "\0"],
)
def test_a_hash_that_cannot_be_read_fits_no_password(hashed: str) -> None:
    assert not verify(hashed, b"s3cret!")


def test_nobody_has_the_dummy_password() -> None:
    assert not any(verify(DUMMY_HASH, guess) for guess in (b"", b"password"))


def test_a_generated_password_can_be_read_aloud() -> None:
    made = {generate(secrets.SystemRandom()) for _ in range(200)}
    assert len(made) == 200
    assert all(len(one) == 8 and set(one) <= set(ALPHABET) and password(one) == one for one in made)
    assert not set(ALPHABET) & set("0Oo1lIi")
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert generate(Random(1)) == generate(Random(1))
    assert len(generate(Random(1), 12)) == 12


@pytest.mark.parametrize("text", ["", "ninechars", "żółw", "a\0b", "a\nb", "\x7f"])
def test_a_password_must_fit_the_wire(text: str) -> None:
    with pytest.raises(ValueError):
        password(text)


def test_what_was_right_is_known() -> None:
    known = Known(KEY)
    assert not known.matches(1, HASHED, b"s3cret!")
    known.remember(1, HASHED, b"s3cret!")
    assert known.matches(1, HASHED, b"s3cret!")
    assert not known.matches(1, HASHED, b"s3cret")
    assert not known.matches(2, HASHED, b"s3cret!")


def test_a_new_password_or_a_word_makes_it_unknown() -> None:
    known = Known(KEY)
    known.remember(1, HASHED, b"s3cret!")
    assert not known.matches(1, DUMMY_HASH, b"s3cret!")
    known.forget(1)
    known.forget(1)
    assert not known.matches(1, HASHED, b"s3cret!")


def test_one_digest_an_account() -> None:
    known = Known(KEY)
    known.remember(1, HASHED, b"first")
    known.remember(1, HASHED, b"second")
    assert not known.matches(1, HASHED, b"first")
    assert known.matches(1, HASHED, b"second")


@pytest.mark.parametrize("key", [b"", b"short", bytes(65)])
def test_a_key_has_a_proper_length(key: bytes) -> None:
    with pytest.raises(ValueError):
        Known(key)
