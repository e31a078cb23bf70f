"""Ready-made settings of two clients for one account.

Invariant: no password stands in them. What comes from an account is written so that the client's language reads it as
one value, whatever it is made of.
"""

from typing import NamedTuple

from acl.settings import TRANSCEIVER, TRANSMITTER, Settings

SENDER = "SENDER"


class Place(NamedTuple):
    """Where a client connects to."""

    host: str
    port: int
    secured: bool


def place(endpoints: dict[str, str | None]) -> Place | None:
    """The secured endpoint where there is one; None where nothing listens."""
    for kind in ("secured", "unsecured"):
        told = endpoints[kind]
        if told:
            host, _, port = told.rpartition(":")
            return Place(host.strip("[]"), int(port), kind == "secured")
    return None


def smpplib(where: Place, system_id: str, settings: Settings) -> str:
    """Python. smpplib tells the TLS layer no host name, so the context has to."""
    secured = """\

class Checked:
    def wrap_socket(self, sock):
        return ssl.create_default_context().wrap_socket(sock, server_hostname=HOST)

"""
    kind = TRANSCEIVER if TRANSCEIVER in settings.bind_types else TRANSMITTER
    sender = settings.default_sender or SENDER
    ton, npi = ("INTL", "ISDN") if sender.isdigit() else ("ALNUM", "UNK")
    return f"""\
import os
{"import ssl" if where.secured else ""}
import smpplib.client
import smpplib.consts

HOST, PORT = {where.host!r}, {where.port}
{secured if where.secured else ""}
client = smpplib.client.Client(
    HOST, PORT, allow_unknown_opt_params=True{", ssl_context=Checked()" if where.secured else ""}
)
client.set_message_sent_handler(lambda pdu: print("accepted", pdu.message_id))
client.set_message_received_handler(lambda pdu: print("received", pdu.short_message))
client.connect()
client.bind_{kind}(system_id={system_id!r}, password=os.environ["SMPP_PASSWORD"])
client.send_message(
    source_addr_ton=smpplib.consts.SMPP_TON_{ton},
    source_addr_npi=smpplib.consts.SMPP_NPI_{npi},
    source_addr={sender!r},
    dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
    dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
    destination_addr="48600100200",
    short_message=b"Hello",
    registered_delivery=smpplib.consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH,
)
client.listen()
"""


def kannel(where: Place, name: str, system_id: str, settings: Settings) -> str:
    """Two groups where the account has no transceiver: Kannel then sends by one bind and receives by the other."""
    if TRANSCEIVER in settings.bind_types:
        return group(where, name, system_id, settings, "port", "true")
    ways = {"transmitter": "port", "receiver": "receive-port"}
    allowed = [ways[kind] for kind in ways if kind in settings.bind_types]
    return "\n".join(group(where, name, system_id, settings, way, "false") for way in allowed)


def group(where: Place, name: str, system_id: str, settings: Settings, way: str, transceiver: str) -> str:
    lines = [
        "group = smsc",
        "smsc = smpp",
        f"smsc-id = {quoted(name)}",
        f"host = {quoted(where.host)}",
        f"{way} = {where.port}",
        *(["use-ssl = true"] if where.secured else []),
        f"transceiver-mode = {transceiver}",
        f"smsc-username = {quoted(system_id)}",
        "# your SMPP password",
        'smsc-password = "…"',
        f"system-type = {quoted(settings.system_type)}",
        "interface-version = 34",
        f"enquire-link-interval = {settings.enquire_link or 30}",
        f"max-pending-submits = {settings.window}",
        *([f"throughput = {settings.throughput}"] if settings.throughput else []),
    ]
    return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    """As Kannel reads it: within quotes, with a backslash before what would end them."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
