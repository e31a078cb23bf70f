"""Bind, send one message, wait for its receipt.

make run                                        # in one terminal
.venv/bin/python examples/bind_and_submit.py    # in another
"""

import json
import sys

import smpplib.client
import smpplib.consts

# `smppgate quickstart` wrote the demo account's login here.
with open(sys.argv[1] if len(sys.argv) > 1 else "data/demo.json") as file:
    demo = json.load(file)

RECEIPT = 0x04  # the bit in esm_class that tells a receipt from a message

accepted = []
receipts = []


def on_deliver(pdu):
    """The server delivers something. What we return is the status of our answer; not 0 makes the server try again."""
    if pdu.esm_class & RECEIPT:
        receipts.append(pdu.short_message.decode("ascii"))
    return smpplib.consts.SMPP_ESME_ROK


# Without allow_unknown_opt_params smpplib hangs up at the first optional parameter that it does not know.
client = smpplib.client.Client(demo["host"], demo["port"], timeout=10, allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: accepted.append(pdu.message_id.decode("ascii")))
client.set_message_received_handler(on_deliver)

client.connect()
client.bind_transceiver(system_id=demo["system_id"], password=demo["password"])
client.send_message(
    source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
    source_addr="smppgate",
    dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
    dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
    destination_addr="48600100200",
    short_message=b"Hello from the other side",
    registered_delivery=smpplib.consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH,
)

while not receipts:
    client.read_once()

print("accepted:", accepted[0])
print("receipt: ", receipts[0])
client.unbind()
client.disconnect()
