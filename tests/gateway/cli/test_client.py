"""What the command line says when a server takes a request and gives no answer."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.web.unix import NAME, listen

from .conftest import Smppgate


@pytest.fixture
def mute(data: Path) -> Iterator[None]:
    """A server that hangs up on everybody."""
    data.mkdir()
    listener = listen(data / NAME)

    def hang_up() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return  # the listener was shut down
            with peer:
                peer.recv(65_536)

    thread = threading.Thread(target=hang_up)
    thread.start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


@pytest.mark.usefixtures("mute")
@pytest.mark.parametrize("words", [("audit",), ("account", "list"), ("account", "export", "acme")], ids=" ".join)
def test_who_only_asked_has_changed_nothing(smppgate: Smppgate, words: tuple[str, ...]) -> None:
    said = smppgate(*words, expect=1).stderr
    assert "stopped answering" in said
    assert "nothing was changed" in said
    assert "may have done it" not in said


@pytest.mark.usefixtures("mute")
@pytest.mark.parametrize("words", [("account", "add", "acme"), ("credit", "add", "acme", "1")], ids=" ".join)
def test_who_wanted_a_change_does_not_know(smppgate: Smppgate, words: tuple[str, ...]) -> None:
    said = smppgate(*words, expect=1).stderr
    assert "it may have done it or not, look before you repeat" in said
    assert "nothing was changed" not in said
