"""python -m bench.load: its flags and the keys of its JSON, which other programs of the benchmark read."""

import json
import os
from typing import Any

import pytest

from bench import load, wire
from gateway.load.plan import Plan
from tests.gateway.load.peer import accepted, delivered, listening, receipt, refusing, server

KEYS = {
    "connections", "window", "rate", "receipts_on", "seconds", "sent", "accepted", "refused", "messages_per_second",
    "p50_ms", "p99_ms", "max_ms", "receipts", "receipts_per_second", "ids", "unmatched", "generic_nacks",
    "other_deliveries", "enquire_links", "unanswered", "lost_connections", "generator_share", "server_cpu_seconds",
    "server_share", "messages_per_cpu_second", "server_rss_kib", "written_per_message",
}  # fmt: skip


def run(port: int, *words: str) -> list[str]:
    return ["--port", str(port), "--json", "--grace", "0.2", *words]


def test_every_message_is_counted_with_its_receipt(capsys: pytest.CaptureFixture[str]) -> None:
    with server(delivered, connections=3) as port:
        assert load.main(run(port, "-c", "3", "-w", "7", "-n", "500", "-r")) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.keys() >= KEYS
    assert (figures["sent"], figures["accepted"], figures["receipts"], figures["ids"]) == (500, 500, 500, "match")


def test_the_servers_process_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with server(delivered) as port:
        load.main(["-p", str(port), "-t", "0.3", "-w", "100", "-s", str(os.getpid()), "--json"])
        figures: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert (figures["server_rss_kib"] > 1000, figures["server_cpu_seconds"] > 0) == (True, True)
        assert f"{figures['server_cpu_seconds']} CPU seconds" in load.show(figures)


def test_refusals_do_not_make_figures_worthless() -> None:
    def every_third(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) if number % 3 else wire.pdu(wire.SUBMIT_SM_RESP, 0x58, sequence, b"\0")

    with server(every_third) as port:
        figures = load.run(Plan(port, total=300), [])
    assert (figures["accepted"], figures["refused"]) == (200, {"0x00000058": 100})
    assert load.faults(figures) == []


def test_a_receipt_with_a_foreign_id_does() -> None:
    def confused(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) + receipt(sequence + (number == 7), number)

    with server(confused) as port:
        figures = load.run(Plan(port, total=20, receipts=True, grace=0.2), [])
    assert figures["ids"] == "differ"
    assert load.faults(figures) != []
    assert "WORTHLESS" in load.show(figures)


def test_a_refused_bind_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    with listening(refusing(wire.pdu(wire.BIND_TRANSCEIVER | wire.RESPONSE, 0x0E, 1))) as port:
        assert load.main(run(port)) == 2
    assert "ESME_RINVPASWD" in capsys.readouterr().err


def test_flags_make_the_plan() -> None:
    given = load.arguments().parse_args(["--prefix", "4860", "-l", "254", "--sender", "A", "--sender", "B", "-w", "7"])
    plan = load.planned(given)
    assert (plan.destination, plan.senders, plan.window) == ("4860######", ("A", "B"), 7)
    assert [len(part) for text in plan.texts for part in text.parts] == [254]
    assert plan.tls is None
    assert load.planned(load.arguments().parse_args(["--tls", "--insecure"])).tls is not None


def test_the_program_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load.main(["--help"])
    said = capsys.readouterr().out
    assert all(flag in said for flag in ("--core", "--receipts", "--rate", "--warm-up", "--tls", "--insecure"))
