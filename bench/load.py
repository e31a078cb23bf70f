"""python -m bench.load: a load generator for any SMPP 3.4 server, and what the server's process spent on it.

The clock and the server's CPU time start together, after all binds and the warm-up. The rate is taken until sending
stops; CPU time until the last response *and* the last receipt, and it is divided into every message accepted: work
that is put off is still charged.
"""

import argparse
import gc
import json
import resource
import sys
from contextlib import closing
from typing import Any

from bench.client import SECOND, BindError, Crowd
from bench.process import pin, usage
from bench.tally import Plan, Tally
from bench.wire import WireError


def run(plan: Plan, pids: list[int], warm_up: float = 0.0) -> dict[str, Any]:
    """Bind, warm up, send, wait for the rest, leave; the figures."""
    with closing(Crowd(plan)) as crowd:
        crowd.wait_bound()
        if warm_up:
            crowd.start()
            crowd.send(warm_up)
            crowd.drain()
        tally, before, own_before = crowd.start(), usage(pids), usage_of_self()
        seconds = crowd.send(plan.seconds, plan.total)
        answered, middle, own = tally.answered, usage(pids), usage_of_self() - own_before
        crowd.drain()
        after, unanswered, lost = usage(pids), crowd.unanswered(), crowd.lost()
        crowd.leave()
    figures = counts(plan, tally, seconds, answered)
    cpu = after.cpu - before.cpu
    return figures | {
        "unanswered": unanswered,
        "lost_connections": lost,
        "generator_share": round(own / seconds, 3),
        "server_cpu_seconds": round(cpu, 3),
        "server_share": round((middle.cpu - before.cpu) / seconds, 3),
        "messages_per_cpu_second": round(tally.accepted / cpu) if cpu else None,
        "server_rss_kib": after.rss_kib,
        "written_per_message": round((after.written - before.written) / tally.accepted, 1) if tally.accepted else None,
    }


def counts(plan: Plan, tally: Tally, seconds: float, answered: int) -> dict[str, Any]:
    receipt_seconds = (tally.last_receipt - tally.started) / SECOND
    ids = "-" if not plan.receipts else "match" if tally.ids_answered == tally.ids_received else "differ"
    return {
        "connections": plan.connections,
        "window": plan.window,
        "rate": plan.rate,
        "receipts_on": plan.receipts,
        "seconds": round(seconds, 3),
        "sent": tally.sent,
        "accepted": tally.accepted,
        "refused": {f"0x{status:08x}": number for status, number in sorted(tally.refused.items())},
        "messages_per_second": round(answered / seconds),
        "p50_ms": tally.quantile(0.5) / 1000,
        "p99_ms": tally.quantile(0.99) / 1000,
        "max_ms": max(tally.latency, default=0) / 1000,
        "receipts": tally.receipts,
        "receipts_per_second": round(tally.receipts / receipt_seconds) if tally.receipts else 0,
        "ids": ids,
        "unmatched": tally.unmatched,
        "generic_nacks": tally.nacks,
        "other_deliveries": tally.strays,
        "enquire_links": tally.enquiries,
    }


def usage_of_self() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def faults(figures: dict[str, Any]) -> list[str]:
    """What makes the figures worthless."""
    wrong = [f"{figures[name]} {name}" for name in ("unanswered", "unmatched", "lost_connections") if figures[name]]
    if figures["ids"] == "differ":
        wrong.append("the ids in the receipts are not the ids in the responses")
    if not figures["accepted"]:
        wrong.append("nothing was accepted")
    return wrong


def show(figures: dict[str, Any]) -> str:
    pace = f", paced at {figures['rate']}/s" if figures["rate"] else ""
    rows = [
        f"{figures['connections']} connections, window {figures['window']}{pace}, "
        f"receipts {'on' if figures['receipts_on'] else 'off'}",
        f"  accepted   {figures['accepted']} of {figures['sent']} in {figures['seconds']} s, "
        f"answered at {figures['messages_per_second']}/s",
        *(f"  refused    {number} with status {status}" for status, number in figures["refused"].items()),
        f"  response   p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, max {figures['max_ms']} ms",
    ]
    if figures["receipts_on"]:
        rows.append(
            f"  receipts   {figures['receipts']}, {figures['receipts_per_second']}/s to the last, ids {figures['ids']}"
        )
    if figures["messages_per_cpu_second"]:
        memory, written = figures["server_rss_kib"] // 1024, figures["written_per_message"]
        rows.append(
            f"  server     {figures['server_cpu_seconds']} CPU seconds = {figures['messages_per_cpu_second']} messages "
            f"a CPU second, {figures['server_share']} of a core while sending, {memory} MiB, "
            f"{written} octets written a message"
        )
    rows.append(f"  generator  {figures['generator_share']} of a core")
    rows += [f"  WRONG      {fault}" for fault in faults(figures)]
    return "\n".join(rows)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=(__doc__ or "").partition("\n")[0])
    default = Plan(2775)
    add = parser.add_argument
    add("-H", "--host", default=default.host)
    add("-p", "--port", type=int, default=default.port)
    add("-c", "--connections", type=int, default=default.connections)
    add("-w", "--window", type=int, default=default.window, help="unanswered submit_sm of each connection")
    add("-t", "--seconds", type=float, default=default.seconds)
    add("-n", "--total", type=int, default=0, help="stop after so many answers")
    add("-R", "--rate", type=int, default=0, help="at most so many messages a second in all")
    add("-r", "--receipts", action="store_true", help="ask for delivery receipts and wait for all of them")
    add("-l", "--length", type=int, default=default.length, choices=range(1, 255), metavar="1-254")
    add("-u", "--system-id", default=default.system_id)
    add("-P", "--password", default=default.password)
    add("--sender", action="append", help="may be given again: senders take turns")
    add("--prefix", default=default.prefix, help="of the destinations; six digits that differ are put behind it")
    add("--warm-up", type=float, default=0.0, metavar="SECONDS")
    add("--grace", type=float, default=default.grace, help="seconds to wait for a late receipt")
    add("-s", "--server", type=int, action="append", default=[], metavar="PID", help="whose CPU time is read")
    add("--core", type=int, help="pin the generator to this core")
    add("--json", action="store_true")
    return parser


def main(words: list[str] | None = None) -> int:
    given = arguments().parse_args(words)
    chosen = {name: value for name, value in vars(given).items() if name in Plan._fields}
    plan = Plan(**chosen, senders=tuple(given.sender or Plan(2775).senders))
    pin(given.core)
    try:
        figures = run(plan, given.server, given.warm_up)
    except (BindError, WireError, OSError) as error:
        print(f"bench.load: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures) if given.json else show(figures))
    return 1 if faults(figures) else 0


if __name__ == "__main__":
    gc.disable()  # the loop makes no cycles, and a collection would count as the server's latency
    sys.exit(main())
