"""The account of every benchmark: all rules on, and none of them in the way of the generator's messages."""

NAME = "smpp-bench"
SYSTEM_ID = "bench"
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
CREDITS = 1_000_000_000
SIDES = 100
WINDOW = 100
THROUGHPUT = 0  # no limit: one that is reached would be measured in place of the road
