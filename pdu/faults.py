"""The two faults there are: one that is answered, and one that ends the session."""


class Malformed(Exception):  # noqa: N818  # it names what the PDU is
    """Answerable: the framing stands and the header is known, but this field is not as it should be."""

    def __init__(self, field: str, offset: int, status: int, why: str = "malformed") -> None:
        super().__init__(field, offset, status, why)
        self.field = field
        self.offset = offset                        # in the PDU, its header included
        self.status = status                        # what the sender is answered with
        self.why = why

    def __str__(self) -> str:
        return f"{self.field} at octet {self.offset}: {self.why} (0x{self.status:02X})"


class Desync(Exception):  # noqa: N818  # it names what happened to the stream
    """Fatal: the announced length is a lie, so nobody can know where the next PDU starts."""

    def __init__(self, length: int, sequence: int = 0) -> None:
        super().__init__(length, sequence)
        self.length = length
        self.sequence = sequence                    # 0 when the header did not arrive whole

    def __str__(self) -> str:
        return f"command_length {self.length} cannot be"
