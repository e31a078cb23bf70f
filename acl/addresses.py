"""Authorised addresses: parsed strictly when they are saved, looked up in one step when a peer connects.

Invariant: an IPv4 address is the same address when it comes as ::ffff:a.b.c.d, on a list and at the door.
A peer whose address cannot be read stands on no list.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MAX_ADDRESSES = 10  # of one account

_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_MAPPED_BITS = 96  # ::ffff:0:0/96 is where the IPv4 addresses are


def network(text: str) -> str:
    """One authorised address or network in its only spelling; ValueError says what is wrong with it."""
    base, slash, prefix = text.partition("/")
    address = _address(base)
    bits: int = address.max_prefixlen
    length = bits
    if slash:
        if not _PREFIX.fullmatch(prefix) or int(prefix) > bits:
            raise ValueError(f"the prefix length must be a number from 1 to {bits}")
        length = int(prefix)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        if length < _MAPPED_BITS:
            raise ValueError("a network of IPv4 addresses is written as IPv4")
        address, length, bits = address.ipv4_mapped, length - _MAPPED_BITS, 32
    if length == 0:
        raise ValueError("a prefix length of 0 would authorise everybody")
    _usable(address, length)
    return str(address) if length == bits else f"{address}/{length}"


def _address(text: str) -> IPv4Address | IPv6Address:
    if "%" in text:
        raise ValueError("an address with a zone means something on one machine only")
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError("is not an IPv4 or IPv6 address") from None


def _usable(address: IPv4Address | IPv6Address, length: int) -> None:
    inside = ip_network(f"{address}/{length}", strict=False)
    if inside.network_address != address:
        raise ValueError(f"has bits set beyond its prefix; the network is {inside}")
    if length == address.max_prefixlen and address.is_unspecified:
        raise ValueError("is no host's address")
    if address.is_multicast:
        raise ValueError("is a multicast address; nobody connects from one")
    if address.version == 6 and address.is_link_local:
        raise ValueError("is a link-local address; it means another host on every link")


def peer(text: str) -> str | None:
    """A connected peer's address in the spelling that lists and logs use, or None if it cannot be read."""
    address = _peer(text)
    return None if address is None else str(address)


def _peer(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id is not None else address.ipv4_mapped or address


class Networks:
    """The authorised networks of one account. None means nobody."""

    __slots__ = ("_index", "texts")

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.texts: tuple[str, ...] = tuple(dict.fromkeys(network(text) for text in networks))
        self._index = _index(ip_network(text) for text in self.texts)

    def __bool__(self) -> bool:
        return bool(self.texts)

    def contains(self, address: str) -> bool:
        found = _peer(address)
        return found is not None and _holds(self._index, found)


class Listed:
    """Every account's networks in one index: does this address stand on anybody's list?

    Costs one set look-up for each prefix length in use, however many accounts there are.
    """

    __slots__ = ("_index",)

    def __init__(self, lists: Iterable[Networks] = ()) -> None:
        self._index = _index(ip_network(text) for text in {text for networks in lists for text in networks.texts})

    def contains(self, address: str) -> bool:
        found = _peer(address)
        return found is not None and _holds(self._index, found)


# IP version -> the leading bits of the networks, by how many bits follow them
_Index = dict[int, dict[int, set[int]]]


def _index(networks: Iterable[IPv4Network | IPv6Network]) -> _Index:
    index: _Index = {4: {}, 6: {}}
    for one in networks:
        free = one.max_prefixlen - one.prefixlen
        index[one.version].setdefault(free, set()).add(int(one.network_address) >> free)
    return index


def _holds(index: _Index, address: IPv4Address | IPv6Address) -> bool:
    bits = int(address)
    return any(bits >> free in heads for free, heads in index[address.version].items())
