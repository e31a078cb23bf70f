"""The way to the mail server: connected, encrypted and logged in as the configuration says.

Invariant: a password travels encrypted only, to a server whose certificate was verified. Knows neither
outbox nor words.
"""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import aiosmtplib

from gateway.config import Mail as MailServer

LONGEST_ERROR = 300  # characters of what the mail server said

Carry = Callable[[EmailMessage], Awaitable[None]]


class Undeliverable(Exception):  # noqa: N818 - it is what the mail server says of a letter
    """No later attempt would go better."""


def carrier(server: MailServer) -> Carry:
    """Hands a message to the mail server of the configuration. Returns once that has taken it."""

    async def carry(made: EmailMessage) -> None:
        try:
            async with asyncio.timeout(3 * server.timeout), client(server) as connected:
                await connected.send_message(made)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as fault:
            if for_good(fault):
                raise Undeliverable(f"the mail server refused it: {told(fault)}") from None
            raise

    return carry


async def reach(server: MailServer) -> None:
    """As far as one gets without a letter. OSError or SMTPException says what stood in the way."""
    async with asyncio.timeout(3 * server.timeout), client(server):
        pass


def client(server: MailServer) -> aiosmtplib.SMTP:
    password = server.password or (server.password_file.read_text("utf-8").strip() if server.password_file else "")
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        username=server.username or None,
        password=password or None,
        cert_bundle=str(server.ca_file) if server.ca_file else None,
        timeout=server.timeout,
    )


def for_good(fault: aiosmtplib.SMTPException) -> bool:
    refusals = fault.recipients if isinstance(fault, aiosmtplib.SMTPRecipientsRefused) else [fault]
    return all(isinstance(one, aiosmtplib.SMTPResponseException) and 500 <= one.code < 600 for one in refusals)


def told(fault: BaseException) -> str:
    """What went wrong, in one line of a bounded length."""
    text = str(fault) or type(fault).__name__
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_ERROR]
