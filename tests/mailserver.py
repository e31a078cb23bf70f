"""A mail server on loopback that takes letters, or answers as a test tells it to."""

import asyncio
import ssl
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
        return "250 taken"


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
