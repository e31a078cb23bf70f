"""Send a long text in Polish: UCS-2, in several parts that the phone puts together again.

smpplib cuts the text and writes the user data header of each part. Every part is a message of its own on the wire:
it has its id, its price and its receipt.
"""

import json
import sys

import smpplib.client
import smpplib.consts
import smpplib.gsm

TEXT = "Zażółć gęślą jaźń. " * 10  # 190 characters; a part of a long UCS-2 text holds 67

with open(sys.argv[1] if len(sys.argv) > 1 else "data/demo.json") as file:
    demo = json.load(file)

accepted = []
delivered = []


def on_deliver(pdu):
    """The receipt names its message twice: in its text (id:...) and in the parameter receipted_message_id."""
    delivered.append(pdu.receipted_message_id.decode("ascii").rstrip("\0"))
    return smpplib.consts.SMPP_ESME_ROK


client = smpplib.client.Client(demo["host"], demo["port"], timeout=10, allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: accepted.append(pdu.message_id.decode("ascii")))
client.set_message_received_handler(on_deliver)
client.connect()
client.bind_transceiver(system_id=demo["system_id"], password=demo["password"])

parts, data_coding, esm_class = smpplib.gsm.make_parts(TEXT)
for part in parts:
    client.send_message(
        source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
        source_addr="smppgate",
        dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
        dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
        destination_addr="48600100200",
        data_coding=data_coding,
        esm_class=esm_class,
        short_message=part,
        registered_delivery=smpplib.consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH,
    )

while len(delivered) < len(parts):
    client.read_once()

for number, message_id in enumerate(accepted, 1):
    print(f"part {number} of {len(parts)}: {message_id}", "receipt" if message_id in delivered else "no receipt")
client.unbind()
client.disconnect()
