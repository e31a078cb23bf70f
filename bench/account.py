"""The accounts of every benchmark: all rules on, and none of them in the way of the generator's messages."""

from typing import NamedTuple

PASSWORD = "benchmrk"
SENDERS = ("ACME", "+33600000001", "36180")
ADDRESSES = ("127.0.0.1",)
DENIED = ("4470", "1900", "33899")
PLAN = "bench"
# 200 prefixes in credits a part: short and long ones, so that the longest has to be found.
PRICES = (
    {"44": "0.04", "447": "0.045", "4477": "0.046", "1": "0.01"}
    | {str(code): f"0.0{30 + code % 7}" for code in range(300, 440)}
    | {f"33{area}": "0.035" for area in range(10, 66)}
)
PRICE = 460  # what a message of the generator costs, in ten-thousandths of a credit
CREDITS = 1_000_000_000
WINDOW = 100
THROUGHPUT = 1_000_000  # a limit that is kept count of, and not reached: reached, it would be what is measured
SIDES = 1000  # of each account: so many transceivers may bind


class Customer(NamedTuple):
    """An account as its owner knows it; the rules above are every customer's."""

    name: str
    system_id: str


MAIN = Customer("smpp-bench", "bench")
OTHER = Customer("smpp-other", "other")
SYSTEM_ID = MAIN.system_id
