"""A mail server on loopback that takes letters, or answers as a test tells it to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.server import free_port


class MailServer:
    """`with MailServer() as server: …`; what was taken stands in `letters`, oldest first."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, starttls: bool = False, login: str = "") -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: list[str] = []
        """What the next letters are answered with, instead of being taken."""
        self.before_250: Callable[[], None] = lambda: None
        """Called when a letter has been taken, and nobody has heard of it."""
        self._login = login
        more: dict[str, Any] = {"require_starttls": True, "tls_context": tls} if starttls else {}
        if login:
            more |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": starttls}
        self.port = free_port()  # its controller cannot let the system choose
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, ssl_context=None if starttls else tls, ready_timeout=10, **more
        )

    def _authenticate(self, _server: Any, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=f"{data.login.decode()}:{data.password.decode()}" == self._login)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(0)
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients += envelope.rcpt_tos
        self.before_250()
        return "250 taken"


@asynccontextmanager
async def hanging_up(at: bytes) -> AsyncIterator[int]:
    """A server that agrees to everything until it hears `at`, and then is gone; silent from the start if that is empty.
    -> its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if at:
            writer.write(b"220 here\r\n")
            inside = False  # the letter: nothing is answered before its end
            while (line := await reader.readline()) and not line.upper().startswith(at):
                if not inside:
                    inside = line.upper().startswith(b"DATA")
                    writer.write(b"354 go on\r\n" if inside else b"250 well\r\n")
        else:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    body = letter.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content


def fact(letter: EmailMessage, name: str) -> str:
    """The value that stands behind `name:` in the text."""
    return next(
        line.partition(": ")[2] for line in text_of(letter).splitlines() if line.startswith(f"{name}: ")
    )
