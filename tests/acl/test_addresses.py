from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl.addresses import Listed, Networks, network, peer


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("128.0.0.0/1", "128.0.0.0/1"),
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::1", "::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("::ffff:192.0.2.1/128", "192.0.2.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::192.0.2.1", "::c000:201"),  # the old IPv4-compatible form is just an IPv6 address
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ],
)
def test_an_address_has_one_spelling(text: str, spelling: str) -> None:
    assert network(text) == spelling
    assert network(spelling) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "localhost", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1\n", "192.0.2", "192.0.2.256", "192.0.2.01",
        "0x7f.0.0.1", "3221225985", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/+1", "192.0.2.0/024",
        "192.0.2.0/ 24", "192.0.2.0/255.255.255.0", "192.0.2.0/0.0.0.255", "192.0.2.0/24/24", "192.0.2.1/24",
        "\u0661.0.0.1", "192.0.2.1:2775", "[::1]", "::1%lo", "fe80::1%eth0", "fe80::1", "fe80::/10", "2001:db8::1/64",
        "2001:db8::/129", "2001:db8::/0", "0.0.0.0/0", "::/0", "0.0.0.0", "::", "::ffff:0.0.0.0/96",
        "::ffff:0.0.0.0/95", "::ffff:0:0/90", "::ffff:192.0.2.1/120", "224.0.0.1", "ff02::1", "*", "any",
    ],
)  # fmt: skip
def test_what_is_not_exactly_an_address_is_refused_when_it_is_saved(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        network(text)
    assert str(refused.value)


def test_the_reason_names_the_network_that_was_probably_meant() -> None:
    with pytest.raises(ValueError, match=r"the network is 192\.0\.2\.0/24"):
        network("192.0.2.77/24")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("fe80::1%eth0", None),
        ("", None),
        ("unix:", None),
        ("192.0.2.1:5", None),
        ("192.0.2.0/24", None),
    ],
)
def test_a_peer_has_one_spelling_too(text: str, spelling: str | None) -> None:
    assert peer(text) == spelling


@pytest.mark.parametrize(
    ("listed", "address", "inside"),
    [
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"], "::ffff:192.0.2.1", True),
        (["::ffff:192.0.2.1"], "192.0.2.1", True),
        (["::ffff:192.0.2.0/120"], "::ffff:192.0.2.9", True),
        (["192.0.2.1"], "192.0.2.2", False),
        (["192.0.2.1"], "::192.0.2.1", False),
        (["192.0.2.0/24"], "192.0.2.255", True),
        (["192.0.2.0/24"], "192.0.3.0", False),
        (["2001:db8::/32"], "2001:db8:ffff::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["2001:db8::1", "192.0.2.1"], "2001:db8::1", True),
        (["::1"], "127.0.0.1", False),
        (["127.0.0.0/8"], "127.9.9.9", True),
        ([], "127.0.0.1", False),
        (["127.0.0.1"], "localhost", False),
        (["127.0.0.1"], "", False),
        (["127.0.0.1"], "127.0.0.1 ", False),
        (["128.0.0.0/1", "0.0.0.0/1"], "not an address", False),
    ],
)
def test_who_stands_on_a_list(listed: list[str], address: str, inside: bool) -> None:
    assert Networks(listed).contains(address) is inside
    assert Listed([Networks(listed)]).contains(address) is inside
    assert bool(Networks(listed)) is bool(listed)


def test_a_list_is_never_partly_understood() -> None:
    with pytest.raises(ValueError):
        Networks(["192.0.2.1", "nonsense"])


def test_the_index_answers_for_every_list() -> None:
    listed = Listed([Networks(["192.0.2.1", "10.0.0.0/8"]), Networks([]), Networks(["2001:db8::/48"])])
    assert [listed.contains(one) for one in ("192.0.2.1", "10.1.2.3", "2001:db8::5", "192.0.2.2", "2001:db8:1::")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert not Listed().contains("127.0.0.1")


@st.composite
def networks(draw: st.DrawFn) -> str:
    # few distinct bits, so that addresses and networks meet
    if draw(st.booleans()):
        length = draw(st.integers(1, 32))
        return str(ip_network((draw(st.sampled_from([0x0A000000, 0x0AFF00FF, 0xC0000201])), length), strict=False))
    length = draw(st.integers(11, 128))
    start = draw(st.sampled_from([0x20010DB8 << 96, (0x20010DB8 << 96) + 0xFF01, 0x20010DB9 << 96]))
    return str(ip_network((start, length), strict=False))


ADDRESSES = st.one_of(
    st.sampled_from(["10.0.0.0", "10.255.0.255", "192.0.2.1", "2001:db8::ff01", "2001:db9::", "::ffff:10.0.0.0"]),
    st.integers(0, 2**32 - 1).map(lambda bits: str(IPv4Address(bits))),
    st.integers(0, 2**128 - 1).map(lambda bits: str(IPv6Address(bits))),
)


@given(st.lists(st.lists(networks(), max_size=4), max_size=4), ADDRESSES)
def test_lists_agree_with_ipaddress(lists: list[list[str]], text: str) -> None:
    address = ip_address(text)
    meant = getattr(address, "ipv4_mapped", None) or address
    lists = [[one for one in texts if not ip_network(one).is_unspecified] for texts in lists]
    expected = [any(meant in ip_network(one) for one in texts) for texts in lists]
    compiled = [Networks(texts) for texts in lists]
    assert [one.contains(text) for one in compiled] == expected
    assert Listed(compiled).contains(text) is any(expected)


@given(st.text(max_size=50))
def test_no_peer_string_throws(text: str) -> None:
    Networks(["10.0.0.0/8"]).contains(text)
    Listed([Networks(["10.0.0.0/8"])]).contains(text)


@given(st.text(alphabet="0123456789abcdef:./%", max_size=45))
def test_whatever_is_accepted_is_canonical(text: str) -> None:
    try:
        spelling = network(text)
    except ValueError:
        return
    assert network(spelling) == spelling
    assert str(ip_network(spelling)).removesuffix("/32").removesuffix("/128") == spelling
