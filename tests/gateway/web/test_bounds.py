"""How much a request may bring along, by where it goes."""

import pytest

from gateway.web.bounds import FILE, FILES, FORM, bound_of


@pytest.mark.parametrize(
    ("path", "bound"),
    [
        ("/login", FORM),
        ("/api/v1/accounts/acme/senders", FORM),
        ("/api/v1/accounts/acme/senders/MAPLE/documents", FILE),
        ("/accounts/acme/senders", FILES),
        ("/accounts/acme/senders/MAPLE/documents", FILES),
        ("/no/such/page", FORM),
    ],
)
def test_only_where_files_are_handed_in_may_it_be_more_than_a_form(path: str, bound: int) -> None:
    assert bound_of(path) == bound
