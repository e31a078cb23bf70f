"""The two faults carry what the answer needs."""
from pdu.faults import Desync, Malformed


def test_malformed_names_field_place_and_status() -> None:
    fault = Malformed("validity_period", 40, 0x62, "longer than 16 octets")

    assert (fault.field, fault.offset, fault.status) == ("validity_period", 40, 0x62)
    assert str(fault) == "validity_period at octet 40: longer than 16 octets (0x62)"


def test_desync_has_the_sequence_only_if_the_header_was_whole() -> None:
    assert Desync(15, 7).sequence == 7
    assert Desync(15).sequence == 0
    assert str(Desync(15)) == "command_length 15 cannot be"
