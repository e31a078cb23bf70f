"""python -m bench.load: the generator of `smppgate load`, and what the server's process spent on it.

The clock and the server's CPU time start together, after all binds and the warm-up. The rate is taken until sending
stops; CPU time until the last response *and* the last receipt, and it is divided into every message accepted: work
that is put off is still charged.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.process import Usage, pin, usage
from gateway.load.crowd import BindError
from gateway.load.pages import COUNTS
from gateway.load.plan import Plan
from gateway.load.report import report
from gateway.load.running import END, SENT, START
from gateway.load.running import run as generate
from gateway.load.texts import octets
from gateway.load.transport import secured
from gateway.load.wire import WireError

VARYING = 6  # digits of a destination


def run(plan: Plan, pids: list[int]) -> dict[str, Any]:
    """The generator's figures, and those of the server's processes."""
    used: dict[str, Usage] = {}
    figures = generate(plan, lambda moment: used.update({moment: usage(pids)}))
    accepted, seconds = figures["accepted"], figures["seconds"]
    before, after = used[START], used[END]
    cpu = after.cpu - before.cpu
    return figures | {
        "server_cpu_seconds": round(cpu, 3),
        "server_share": round((used[SENT].cpu - before.cpu) / seconds, 3) if seconds else 0.0,
        "messages_per_cpu_second": round(accepted / cpu) if cpu else None,
        "server_rss_kib": after.rss_kib,
        "written_per_message": round((after.written - before.written) / accepted, 1) if accepted else None,
    }


def faults(figures: dict[str, Any]) -> list[str]:
    """What makes the figures worthless."""
    wrong = [f"{figures[name]} {name}" for name in ("unanswered", "unmatched", "lost_connections") if figures[name]]
    if figures["ids"] == "differ":
        wrong.append("the ids in the receipts are not the ids in the responses")
    if not figures["accepted"]:
        wrong.append("nothing was accepted")
    return wrong


def show(figures: dict[str, Any]) -> str:
    rows = [report(figures)]
    if figures["messages_per_cpu_second"]:
        memory, written = figures["server_rss_kib"] // 1024, figures["written_per_message"]
        rows.append(
            f"  server     {figures['server_cpu_seconds']} CPU seconds = {figures['messages_per_cpu_second']} messages "
            f"a CPU second, {figures['server_share']} of a core while sending, {memory} MiB, "
            f"{written} octets written a message"
        )
    return "\n".join(rows + [f"  WORTHLESS  {fault}" for fault in faults(figures)])


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
    add("-l", "--length", type=int, default=40, choices=range(1, 255), metavar="1-254")
    add("-u", "--system-id", default=default.system_id)
    add("-P", "--password", default=default.password)
    add("--sender", action="append", help="may be given again: senders take turns")
    add("--prefix", default="447700", help="of the destinations; six digits that count are put behind it")
    add("--tls", action="store_true")
    add("--ca", type=Path, metavar="FILE", help="certificates of those who may have signed the server's")
    add("--insecure", action="store_true", help="take any certificate")
    add("--warm-up", type=float, default=0.0, metavar="SECONDS")
    add("--grace", type=float, default=default.grace, help="seconds to wait for a late receipt")
    add("-s", "--server", type=int, action="append", default=[], metavar="PID", help="whose CPU time is read")
    add("--core", type=int, help="pin the generator to this core")
    add("--json", action="store_true")
    return parser


def planned(given: argparse.Namespace) -> Plan:
    chosen = {name: value for name, value in vars(given).items() if name in Plan._fields and name != "tls"}
    return Plan(**chosen)._replace(
        tls=secured(given.ca, insecure=given.insecure) if given.tls else None,
        senders=tuple(given.sender or Plan(2775).senders),
        destination=given.prefix + COUNTS * VARYING,
        texts=(octets(given.length),),
    )


def main(words: list[str] | None = None) -> int:
    given = arguments().parse_args(words)
    pin(given.core)
    try:
        figures = run(planned(given), given.server)
    except (BindError, WireError, OSError) as error:
        print(f"bench.load: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures) if given.json else show(figures))
    return 1 if faults(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
