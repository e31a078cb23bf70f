"""The figures of a run, and what they say about it.

Invariant: every key is there in every run; what does not apply is 0 or empty. `docs/CLI.md` explains each of them.
"""

from collections import Counter
from typing import Any

from pdu.constants import ESME_RTHROTTLED, STATUS_NAMES

from .crowd import SECOND
from .plan import Plan
from .tally import Tally
from .times import Times

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
BUSY = 0.95  # of a core: above it the generator itself was the limit
SLACK = 0.95  # of the pace that was asked for


def figures(plan: Plan, tally: Tally, seconds: float, answered: int) -> dict[str, Any]:
    """`answered`: responses that came while sending, which took `seconds`."""
    receipt_seconds = (tally.last_receipt - tally.started) / SECOND
    return {
        "host": plan.host,
        "port": plan.port,
        "tls": plan.tls is not None,
        "bind": "transmitter" if plan.transmitter else "transceiver",
        "texts": dict(Counter(text.kind for text in plan.texts)),
        "connections": plan.connections,
        "window": plan.window,
        "rate": plan.rate,
        "receipts_on": plan.receipts,
        "seconds": round(seconds, 3),
        "sent": tally.sent,
        "accepted": tally.accepted,
        "refused": {f"0x{status:08x}": number for status, number in sorted(tally.refused.items())},
        "statuses": statuses(tally),
        "throttled": tally.refused[ESME_RTHROTTLED],
        "messages_per_second": round(answered / seconds),
        **quantiles("", tally.latency),
        "histogram": [bar._asdict() for bar in tally.latency.bars()],
        "receipts": tally.receipts,
        "receipts_missing": max(0, tally.accepted - tally.receipts) if plan.receipts else 0,
        "receipts_per_second": round(tally.receipts / receipt_seconds) if tally.receipts else 0,
        **quantiles("receipt_", tally.receipt_latency),
        "receipt_histogram": [bar._asdict() for bar in tally.receipt_latency.bars()],
        "ids": ids(plan, tally),
        "foreign_receipts": tally.foreign,
        "unmatched": tally.unmatched,
        "generic_nacks": tally.nacks,
        "other_deliveries": tally.strays,
        "enquire_links": tally.enquiries,
    }


def quantiles(prefix: str, times: Times) -> dict[str, float]:
    """p50_ms, p90_ms, p99_ms, p999_ms and max_ms; 0 of nothing."""
    found = {f"{prefix}{name}_ms": times.quantile(share) / 1000 for name, share in SHARES.items()}
    return {**found, f"{prefix}max_ms": times.longest / 1000}


def ids(plan: Plan, tally: Tally) -> str:
    if not plan.receipts or not tally.following:
        return "-"
    return "match" if tally.ids_match else "differ"


def statuses(tally: Tally) -> dict[str, int]:
    """Of all responses, by the name of the status; by its number where it has none."""
    found = {STATUS_NAMES.get(status, f"0x{status:08x}"): number for status, number in sorted(tally.refused.items())}
    return {"ESME_ROK": tally.accepted, **found} if tally.accepted else found


def faults(found: dict[str, Any]) -> list[str]:
    """Why the run was not what was asked for: not everything accepted, or not every receipt there."""
    refused = sum(found["refused"].values())
    counted = {
        "refused": refused,
        "never answered": found["unanswered"],
        "responses to no request": found["unmatched"],
        "connections lost": found["lost_connections"],
        "receipts missing": found["receipts_missing"],
    }
    wrong = [f"{number:,} {what}" for what, number in counted.items() if number]
    if not found["accepted"]:
        wrong.append("nothing was accepted")
    return wrong


def warnings(found: dict[str, Any]) -> list[str]:
    """What must be known to read the figures rightly."""
    said = []
    if found["generator_share"] > BUSY:
        said.append("the generator was the limit: the figures are its own, not the server's")
    due = found["rate"] * found["seconds"] * SLACK
    if found["sent"] + 1 < due and not found["interrupted"] and not found["lost_connections"]:
        said.append(f"the pace of {found['rate']:,} a second was not kept: the windows were full")
    if found["foreign_receipts"]:
        said.append(
            f"{found['foreign_receipts']:,} receipts name no message of this run, or came again"
            + (": does the server write ids in two ways?" if found["receipts_missing"] else "")
        )
    if found["other_deliveries"]:
        said.append(f"{found['other_deliveries']:,} other messages came for the account; they were acknowledged")
    if found["receipts_on"] and found["ids"] == "-":
        said.append("too many receipts were outstanding to match their ids: they are only counted")
    return said
