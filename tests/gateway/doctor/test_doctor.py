"""What the doctor sees: certificates, ports, limits, rooms; each finding says what to do."""

import datetime
import resource
import shutil
import socket
import sqlite3
from collections import namedtuple
from pathlib import Path

import pytest
import trustme

from gateway import doctor
from gateway.config import Address, Config, Tls
from gateway.doctor import certificate
from tests.mailserver import MailServer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_of(folder: Path, authority: trustme.CA, ends: datetime.datetime | None = None) -> Config:
    made = authority.issue_cert("gateway.example", not_after=ends)
    cert, key = folder / "cert.pem", folder / "key.pem"
    made.cert_chain_pems[0].write_to_path(str(cert))
    made.private_key_pem.write_to_path(str(key))
    plain = Config()
    return plain.model_copy(update={"smpp": plain.smpp.model_copy(update={"tls": Tls(cert=cert, key=key)})})


def test_no_certificate() -> None:
    [found] = doctor.certificates(Config())
    assert (found.state, found.found) == ("ok", "off: no certificate is configured")


@pytest.mark.parametrize(("days", "state"), [(400, "ok"), (10, "warning"), (-1, "bad")])
def test_when_a_certificate_ends(tmp_path: Path, authority: trustme.CA, days: int, state: str) -> None:
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days, minutes=1)
    config = tls_of(tmp_path, authority, ends)
    assert config.smpp.tls.cert is not None
    assert abs(certificate.not_after(config.smpp.tls.cert) - ends) < datetime.timedelta(seconds=2)
    [found] = doctor.certificates(config)
    assert found.state == state
    assert f"{ends:%Y-%m-%d}" in found.found


def test_certificates_beyond_2049(tmp_path: Path, authority: trustme.CA) -> None:
    ends = datetime.datetime(2063, 4, 5, tzinfo=datetime.UTC)
    cert = tls_of(tmp_path, authority, ends).smpp.tls.cert
    assert cert is not None
    assert certificate.not_after(cert) == ends


def test_certificates_that_are_none(tmp_path: Path, authority: trustme.CA) -> None:
    config = tls_of(tmp_path, authority)
    assert config.smpp.tls.cert is not None
    assert config.smpp.tls.key is not None
    for pem in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n"):
        config.smpp.tls.cert.write_text(pem)
        with pytest.raises(ValueError):
            certificate.not_after(config.smpp.tls.cert)
        assert next(doctor.certificates(config)).state == "bad"
    config.smpp.tls.key.unlink()
    assert next(doctor.certificates(config)).state == "bad"


def test_a_certificate_cut_anywhere_is_no_certificate(authority: trustme.CA) -> None:
    import ssl

    der = ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())
    assert certificate.expiry(der) > datetime.datetime.now(datetime.UTC)
    for end in range(0, len(der), 7):
        with pytest.raises((ValueError, IndexError)):
            certificate.expiry(der[:end])


def test_ports(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        assert doctor.free("smpp.listen", address).state == "bad"
        assert doctor.answering("smpp.listen", address).state == "ok"
    assert doctor.free("smpp.listen", address).state == "ok"
    refused = doctor.answering("smpp.listen", address)
    assert (refused.state, bool(refused.advice)) == ("bad", True)


def test_the_mail_server() -> None:
    assert doctor.mail(Config()).state == "ok"
    with MailServer() as server:
        section = {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "sms@example.net"}
        config = Config.model_validate({"mail": section})
        assert (doctor.mail(config).state, server.letters) == ("ok", [])
        wants_more = Config.model_validate({"mail": {**section, "security": "starttls"}})
        assert doctor.mail(wants_more).state == "bad"  # it has no STARTTLS, and nothing is sent in the clear instead
    found = doctor.mail(config)
    assert (found.state, bool(found.advice)) == ("bad", True)


def test_every_listener_is_looked_at() -> None:
    config = Config.model_validate({"web": {"listen": ""}, "smpp": {"listen": ["127.0.0.1:1", "[::1]:0"]}})
    assert [found.check for found in doctor.listeners(config, running=True)] == ["smpp.listen", "metrics.listen"]


@pytest.mark.parametrize(("limit", "state"), [(1024, "warning"), (100_000, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_descriptors(monkeypatch: pytest.MonkeyPatch, limit: int, state: str) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (limit, limit))
    assert doctor.descriptors(Config()).state == state


@pytest.mark.parametrize(("megabytes", "state"), [(100, "bad"), (500, "warning"), (50_000, "ok")])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, megabytes: int, state: str) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1, 1, megabytes << 20))
    tmp_path.chmod(0o700)
    assert [found.state for found in doctor.folder(tmp_path)] == ["ok", state, "ok"]


def test_sqlite_with_and_without_the_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    assert "WAL-reset" in doctor.sqlite().found
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert "WAL-reset" not in doctor.sqlite().found


def test_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.event_loop().state == "ok"
    monkeypatch.setattr(doctor, "find_spec", lambda _name: None)
    assert doctor.event_loop().state == "warning"
