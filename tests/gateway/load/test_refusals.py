"""Statuses in words."""

import pytest

from gateway.load.refusals import MEANINGS, explained, name


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x58, "0x58 ESME_RTHROTTLED"),
        (0, "0x00 ESME_ROK"),
        (0x400, "0x400 ESME_RBINDTHROTTLED (on smppgate)"),
        (0x4FF, "0x4FF"),
    ],
)
def test_a_status_has_its_number_and_its_name(status: int, words: str) -> None:
    assert name(status) == words


def test_a_refused_bind_is_explained_if_its_status_is_known() -> None:
    assert explained(0x0F) == "0x0F ESME_RINVSYSID: no account has this system_id"
    assert explained(0x99) == "0x99"
    assert all(name(status).count("ESME_") for status in MEANINGS)
