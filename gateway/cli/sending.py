"""smppgate send: a message through smpplib, so by a client that shares not a line with this gateway.

Invariant: it knows what a customer knows, a login and an address; it opens neither the store nor the API.
"""

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from .passwords import password_option
from .printing import print_json
from .whereabouts import Command, Failure, Whereabouts, as_json, pass_whereabouts

LOGIN = ("system_id", "password", "host", "port")


@click.command(cls=Command)
@click.argument("source", metavar="FROM")
@click.argument("to")
@click.argument("text")
@click.option("--system-id", help="Instead of the one in demo.json.")
@password_option("Instead of the one in demo.json.")
@click.option("--host", help="Where the gateway listens, instead of what demo.json says.")
@click.option("--port", type=int, metavar="PORT", help="And its port, without TLS.")
@click.option("--wait", is_flag=True, help="Ask for the delivery receipt and wait for it.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    default=30.0,
    show_default=True,
    help="Seconds for every answer.",
)
@as_json
@pass_whereabouts
def send(
    where: Whereabouts, /, source: str, to: str, text: str, wait: bool, timeout: float, json_: bool, **login: Any
) -> None:
    """Bind as a customer, send TEXT and print its message id; by default with the login that quickstart wrote.

    A long TEXT goes in several parts, each with an id and a receipt of its own.
    """
    chosen = known_login(where, login)
    done = Sending(timeout)
    done.run(chosen, source, to, text, wait)
    if json_:
        print_json({"message_ids": done.ids, "receipts": done.receipts})
        return
    for id_ in done.ids:
        click.echo(f"accepted: {id_}")
    for receipt in done.receipts:
        click.echo(f"receipt:  {receipt}")


def known_login(where: Whereabouts, given: dict[str, Any]) -> dict[str, Any]:
    login = {name: value for name, value in given.items() if value is not None}
    if set(login) != set(LOGIN):
        login = from_file(where.config().data_dir / "demo.json", given) | login
    if missing := [name for name in LOGIN if name not in login]:
        raise click.UsageError(f"no {', no '.join(missing)}: name it, or run `smppgate quickstart` for a demo account")
    return login


def from_file(file: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What demo.json knows; of its login all or nothing, because a password fits one system_id."""
    try:
        demo = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {"host": "127.0.0.1", "port": 2775}
    except (OSError, ValueError) as error:
        raise Failure(f"{file} cannot be read: {error}") from None
    own_login = given["system_id"] is not None
    return {name: demo[name] for name in (LOGIN[2:] if own_login else LOGIN) if name in demo}


@dataclass
class Sending:
    """One bind from its beginning to its end."""

    timeout: float
    ids: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)

    def run(self, login: dict[str, Any], source: str, to: str, text: str, wait: bool) -> None:
        import smpplib.client
        import smpplib.exceptions

        logging.getLogger("smpp.Client").setLevel(logging.CRITICAL)  # what goes wrong is raised, and said once
        client = smpplib.client.Client(
            login["host"], login["port"], timeout=self.timeout, allow_unknown_opt_params=True
        )
        client.set_message_sent_handler(lambda pdu: self.ids.append(pdu.message_id.decode("ascii", "replace")))
        client.set_message_received_handler(self._received)
        try:
            client.connect()
            client.bind_transceiver(system_id=login["system_id"], password=login["password"])
            try:
                self._read(client, self._submit(client, source, to, text, wait), wait)
            finally:
                with suppress(OSError, smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError):
                    client.unbind()
        except smpplib.exceptions.PDUError as error:
            raise Failure(refusal(error)) from None
        except (OSError, smpplib.exceptions.ConnectionError) as error:
            raise Failure(f"{login['host']}:{login['port']}: {error or 'the connection was closed'}") from None
        finally:
            client.disconnect()

    def _submit(self, client: Any, source: str, to: str, text: str, wait: bool) -> int:
        import smpplib.gsm

        parts, coding, header = smpplib.gsm.make_parts(text)
        for part in parts:
            client.send_message(
                **source_of(source),
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=to.removeprefix("+"),
                short_message=part,
                data_coding=coding,
                esm_class=header,
                registered_delivery=int(wait),
            )
        return len(parts)

    def _received(self, pdu: Any) -> int:
        """Only the receipts that are waited for are taken; anything else is kept for the account's other clients."""
        text = pdu.short_message.decode("latin-1")
        if pdu.esm_class & 0x3C != 0x04 or not any(f"id:{id_} " in text for id_ in self.ids):
            return 0x08  # try again later
        self.receipts.append(text)
        return 0

    def _read(self, client: Any, sent: int, wait: bool) -> None:
        deadline = time.monotonic() + self.timeout
        while len(self.ids) < sent or (wait and len(self.receipts) < sent):
            try:
                client.read_once(auto_send_enquire_link=False)
                late = time.monotonic() > deadline
            except TimeoutError:
                late = True
            if late:
                what = "receipt" if len(self.ids) == sent else "answer"
                raise Failure(
                    f"no {what} within {self.timeout:g} seconds; accepted: {', '.join(self.ids) or 'nothing'}"
                )


def source_of(source: str) -> dict[str, Any]:
    """TON and NPI as most clients set them."""
    digits = source.removeprefix("+")
    if not digits.isdecimal():
        return {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": source}
    return {"source_addr_ton": 3 if len(digits) <= 8 else 1, "source_addr_npi": 1, "source_addr": digits}


def refusal(error: Exception) -> str:
    from pdu.constants import STATUS_NAMES

    status = int(error.args[1]) if len(error.args) > 1 else 0
    return f"refused with status 0x{status:02X} {STATUS_NAMES.get(status, '')}; why: `smppgate refusal list`"
