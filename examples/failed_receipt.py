"""Two messages that do not arrive, and the receipts that say so.

The built-in network follows rules: a number that ends in 9 is accepted and then found undeliverable, one that ends in 8
is refused by the network. What was refused is refunded by default; what was sent in vain is not.
"""

import json
import sys

import smpplib.client
import smpplib.consts

with open(sys.argv[1] if len(sys.argv) > 1 else "data/demo.json") as file:
    demo = json.load(file)

receipts = []


def on_deliver(pdu):
    receipts.append(pdu)
    return smpplib.consts.SMPP_ESME_ROK


client = smpplib.client.Client(demo["host"], demo["port"], timeout=10, allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: None)
client.set_message_received_handler(on_deliver)
client.connect()
client.bind_transceiver(system_id=demo["system_id"], password=demo["password"])

for number in ("48600100209", "48600100208"):
    client.send_message(
        source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
        source_addr="smppgate",
        dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
        dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
        destination_addr=number,
        short_message=b"Is anybody there?",
        # "on failure only" is enough to hear of these two; a delivered message would then stay silent
        registered_delivery=smpplib.consts.SMPP_SMSC_DELIVERY_RECEIPT_FAILURE,
    )

while len(receipts) < 2:
    client.read_once()

for receipt in sorted(receipts, key=lambda pdu: pdu.source_addr, reverse=True):
    words = dict(word.split(":", 1) for word in receipt.short_message.decode("ascii").split() if ":" in word)
    print(f"{receipt.source_addr.decode('ascii')}: stat {words['stat']}, err {words['err']}")
client.unbind()
client.disconnect()
