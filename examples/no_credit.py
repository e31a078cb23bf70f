"""Spend an account's last credit, and read what the next message is told.

Makes an account of its own with two credits, through the command line of the running server, and sends three messages:
two are accepted and paid for, the third is refused with 0x403 and costs nothing.
"""

import json
import secrets
import subprocess
import sys
from pathlib import Path

import smpplib.client

with open(sys.argv[1] if len(sys.argv) > 1 else "data/demo.json") as file:
    demo = json.load(file)

smppgate = Path(sys.executable).with_name("smppgate")
name = f"poor-{secrets.token_hex(3)}"
flags = ["--ip", "127.0.0.1", "--sender", "*", "--credits", "2", "--json"]
made = subprocess.run([smppgate, "account", "add", name, *flags], check=True, stdout=subprocess.PIPE)
poor = json.loads(made.stdout)

statuses = []
client = smpplib.client.Client(demo["host"], demo["port"], timeout=10, allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: statuses.append(pdu.status))
client.set_error_pdu_handler(lambda pdu: None)  # the default raises; the handler above sees the status too
client.connect()
client.bind_transmitter(system_id=poor["system_id"], password=poor["password"])

for _ in range(3):
    client.send_message(
        source_addr="smppgate",
        destination_addr="48600100200",
        short_message=b"One credit each",
    )
while len(statuses) < 3:
    client.read_once()

for number, status in enumerate(statuses, 1):
    print(f"message {number}:", "accepted" if status == 0 else f"refused, status 0x{status:03X}")
client.unbind()
client.disconnect()
