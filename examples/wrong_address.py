"""Try to bind from an address that is not on the account's list, and read the refusal.

The login is right; it is the address that is wrong. From an address that no account has listed the answer is always
"bind failed" (0x0D), so that a stranger learns nothing about names and passwords. The true reason is in the server's
log, in `smppgate refusal list` and in the metric smppgate_refusals_total.
"""

import json
import socket
import sys

import smpplib.client
import smpplib.exceptions

STRANGER = "127.0.0.99"  # still this machine, but the demo account only lists 127.0.0.1

with open(sys.argv[1] if len(sys.argv) > 1 else "data/demo.json") as file:
    demo = json.load(file)


class Elsewhere(smpplib.client.Client):
    """smpplib's client, calling from another address."""

    def _create_socket(self):
        calling = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        calling.settimeout(self.timeout)
        calling.bind((STRANGER, 0))
        return calling


client = Elsewhere(demo["host"], demo["port"], timeout=10, allow_unknown_opt_params=True)
client.connect()
try:
    client.bind_transceiver(system_id=demo["system_id"], password=demo["password"])
except smpplib.exceptions.PDUError as refused:
    print(f"refused: status 0x{refused.args[1]:02X}")
else:
    sys.exit(f"{STRANGER} was let in: is it on the account's list?")
finally:
    client.disconnect()
