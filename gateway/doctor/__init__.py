"""What the doctor looks at, one finding each: what is, whether it is well, and in plain words what to do.

Invariant: nothing is changed, and no look at one thing keeps the doctor from the others. Knows neither who asks nor how
the store is reached: it is told what only the process that holds it knows.
"""

import shutil
import socket
import sqlite3
import ssl
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import machine
from .certificate import not_after
from .finding import BAD, GOOD, MEGABYTE, WARNING, Finding

if TYPE_CHECKING:
    from gateway.config import Address, Config

LITTLE_ROOM, NO_ROOM = 1024 * MEGABYTE, 128 * MEGABYTE
SOON = 30  # days
WAL_RESET_FIXED = (3, 51, 3)
RESTORE = "stop the server, move the store away, keep it, and `smppgate restore` the last backup"
OWN_FILES = 64  # descriptors besides connections: database, listeners, log, pipes


Facts = Mapping[str, Any] | str | None
"""What the store's process tells (`gateway.admin.health`), why it does not, or None where there is no store yet."""


def examine(config: "Config", running: bool, ask: Callable[[], Facts]) -> Iterator[Finding]:
    yield Finding("server", GOOD, "running" if running else "stopped")
    yield from around(config)
    yield from listeners(config, running)
    yield mail(config)
    yield from store(ask())


def around(config: "Config") -> Iterator[Finding]:
    """What takes no time and asks nobody."""
    yield sqlite()
    yield event_loop()
    yield from folder(config.data_dir)
    yield machine.memory()
    yield descriptors(config)
    yield from certificates(config)


def sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= WAL_RESET_FIXED:
        return Finding("SQLite", GOOD, version)
    return Finding(
        "SQLite", GOOD, f"{version}, which has the WAL-reset bug (mended in 3.51.3)",
        "smppgate writes over a single connection and so cannot meet it; never open the database with another program "
        "while the server runs",
    )  # fmt: skip


def event_loop() -> Finding:
    if find_spec("uvloop") is None:
        return Finding("event loop", WARNING, "asyncio's own", "pip install uvloop: about a tenth more messages")
    return Finding("event loop", GOOD, f"uvloop {version('uvloop')}")


def folder(path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("data folder", WARNING, f"{path} is not there yet", "`smppgate serve` makes it")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "data folder", WARNING, f"{path} has mode {mode:04o}", f"chmod 700 {path}: it holds password hashes"
        )
    else:
        yield Finding("data folder", GOOD, str(path))
    free = shutil.disk_usage(path).free
    room = f"{free // MEGABYTE:,} MB free"
    if free < NO_ROOM:
        yield Finding("disk", BAD, room, "make room now: on a full disk nothing is accepted")
    elif free < LITTLE_ROOM:
        yield Finding("disk", WARNING, room, "a million messages take some 400 MB")
    else:
        yield Finding("disk", GOOD, room)
    yield machine.inodes(path)
    yield from machine.sizes(path)
    yield from machine.files(path)


def descriptors(config: "Config") -> Finding:
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = config.smpp.max_connections + OWN_FILES
    found = f"limit {soft}, smpp.max_connections {config.smpp.max_connections}"
    if soft in (resource.RLIM_INFINITY, -1) or soft >= needed:
        return Finding("descriptors", GOOD, found)
    return Finding(
        "descriptors", WARNING, found,
        f"raise it with `ulimit -n {needed}` (systemd: LimitNOFILE={needed}) or lower smpp.max_connections",
    )  # fmt: skip


def certificates(config: "Config") -> Iterator[Finding]:
    tls = config.smpp.tls
    if tls.cert is None or tls.key is None:
        yield Finding("TLS", GOOD, "off: no certificate is configured")
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.cert, tls.key)
        ends = not_after(tls.cert)
    except (OSError, ValueError) as error:
        yield Finding(
            "TLS", BAD, f"{tls.cert}: {error}", "smpp.tls.cert and smpp.tls.key name a chain and its key, PEM"
        )
        return
    days = (ends - datetime.now(UTC)).days
    found = f"{tls.cert} ends on {ends:%Y-%m-%d}, {'in' if days >= 0 else 'over'} {abs(days)} days"
    advice = "replace the file; the server takes the new one without a restart"
    if days < 0:
        yield Finding("TLS", BAD, f"{tls.cert} ended on {ends:%Y-%m-%d}", advice)
    elif days < SOON:
        yield Finding("TLS", WARNING, found, advice)
    else:
        yield Finding("TLS", GOOD, found)


def listeners(config: "Config", running: bool) -> Iterator[Finding]:
    wanted: list[tuple[str, Address | None]] = [("smpp.listen", each) for each in config.smpp.listen]
    if config.smpp.tls.enabled:
        wanted += [("smpp.tls.listen", each) for each in config.smpp.tls.listen]
    wanted += [("metrics.listen", config.metrics.listen), ("web.listen", config.web.listen)]
    for name, address in wanted:
        if address is not None and address.port:
            yield answering(name, address) if running else free(name, address)


def answering(name: str, address: "Address") -> Finding:
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError as error:
        return Finding(name, BAD, f"{address}: {error}", "the server runs, but not with this configuration?")
    return Finding(name, GOOD, f"{address} answers")


def free(name: str, address: "Address") -> Finding:
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        socket.create_server(address, family=family).close()
    except OSError as error:
        return Finding(name, BAD, f"{address}: {error}", f"free the port, or set {name} to another one")
    return Finding(name, GOOD, f"{address} is free")


def mail(config: "Config") -> Finding:
    import asyncio

    import aiosmtplib

    from gateway.mail.handover import reach, told

    server = config.mail
    if not server.host:
        return Finding("mail", GOOD, "off: no mail server is configured")
    at = f"{server.host}:{server.port} ({server.security})"
    try:
        asyncio.run(reach(server))
    except (OSError, ValueError, aiosmtplib.SMTPException) as error:
        return Finding(
            "mail", BAD, f"{at}: {told(error)}", "letters wait until it answers; look at the section [mail]"
        )
    return Finding("mail", GOOD, f"{at} answers")


def store(facts: Facts) -> Iterator[Finding]:
    if facts is None or isinstance(facts, str):
        yield Finding("store", GOOD, "none yet") if facts is None else Finding("store", BAD, facts)
        yield from machine.clock(None)
        return
    yield from machine.clock(facts["newest_ms"])
    damages = facts["damage"]
    for damage in damages or ():
        yield Finding("store", BAD, damage, RESTORE)
    if damages is not None and not damages:
        yield Finding("store", GOOD, f"whole; accounts: {facts['accounts']}")
    pragmas = facts["durability"]
    safe = {"journal_mode=WAL", "synchronous=FULL"} <= set(pragmas)
    yield Finding("durability", GOOD if safe else BAD, ", ".join(pragmas), "" if safe else "it must be WAL and FULL")
