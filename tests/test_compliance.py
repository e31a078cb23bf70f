"""docs/COMPLIANCE.md says what pdu/ does: its tables are compared with ours, row by row."""
from collections.abc import Iterator
from pathlib import Path

from pdu import constants as c
from pdu import tlv
from pdu.bodies import BODIES
from pdu.commands import COMMANDS, DROP, OFFERED, PROCESS, STATES, verdict

PAGE = (Path(__file__).parent.parent / "docs" / "COMPLIANCE.md").read_text()
LETTERS = {c.SUBMIT_SM: "S", c.SUBMIT_MULTI: "M", c.DELIVER_SM: "D", c.DATA_SM: "A", c.DATA_SM_RESP: "a",
           c.ALERT_NOTIFICATION: "N"}


def table(title: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    lines = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


def cell(state: str, command: int) -> str:
    found = verdict(state, command)
    if isinstance(found, str):
        return {PROCESS: "yes", DROP: "–"}[found]
    answer, status = found
    return f"{'nack ' if answer == c.GENERIC_NACK else ''}0x{status:02X}"


def requests() -> Iterator[list[str]]:
    for command in COMMANDS.values():
        answer = "–" if command.response is None else f"0x{command.response:08X}"
        yield [command.name, f"0x{command.id:08X}", answer, " ".join(sorted(command.senders)),
               *(cell(state, command.id) for state in STATES)]
    yield ["anything else", "", "", "", *(cell(state, 0x111) for state in STATES)]
    yield ["a response", "", "", "", *(cell(state, c.SUBMIT_SM_RESP) for state in STATES)]


def parameters() -> Iterator[list[str]]:
    for row in tlv.TABLE.values():
        size = f"{row.least}" if row.least == row.most else f"{row.least}–{row.most}"
        where = "b" if c.BIND_TRANSMITTER_RESP in row.valid_in else ""
        where += "".join(letter for command, letter in LETTERS.items() if command in row.valid_in)
        yield [f"0x{row.tag:04X}", row.name, row.kind, size, " ".join(where)]


def test_who_may_send_what_in_which_state_is_what_the_state_table_says() -> None:
    assert table("From the ESME") == list(requests())


def test_what_the_smsc_may_send_is_what_the_state_table_says() -> None:
    expected = [[COMMANDS[number].name, " ".join(state for state in STATES if number in OFFERED[state])]
                for number in COMMANDS if any(number in OFFERED[state] for state in STATES)]

    assert [row[:2] for row in table("From the SMSC")] == expected


def test_every_optional_parameter_stands_on_the_page() -> None:
    assert table("Optional parameters") == list(parameters())


def test_every_status_of_the_vendor_range_stands_on_the_page() -> None:
    assert {(row[0], row[1]) for row in table("Our own statuses")} == {
        (f"0x{number:04X}", name) for number, name in c.STATUS_NAMES.items() if number >= 0x400}


def test_the_page_claims_a_codec_for_every_pdu_and_there_is_one() -> None:
    assert f"all {len(BODIES)} PDUs" in PAGE
    assert BODIES.keys() == c.COMMAND_NAMES.keys()
