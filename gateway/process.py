"""The process around the gateway: the store it holds, the other listeners, the loop, signals and descriptors.

Invariant: the store is closed last, on every way out. Knows nothing of what the gateway does.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog

from store.sqlite import open_store

from .app import Endpoints, Gateway
from .config import Address, Config

log = structlog.get_logger()
SWITCH = 0.0002  # seconds after which the loop gives way to the store's thread, which has ten short words a commit
COLLECT = 200_000, 20, 50
"""Objects more than were alive at the last collection, until the next; then as Python counts. What the road makes goes
without a collector, but each of its looks takes in all messages under way: 50 ms in which nobody is served."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's mallopt
LARGE = 256 * 1024  # octets: a little more than is ever read from a socket at once; what TLS reserves a connection
ROOM = 8 * 1024 * 1024  # octets that it keeps at the end of its heap, for what comes next
SPARE_DESCRIPTORS = 64  # for the store, the log, and the listeners that few come to


def connections_at_most(wanted: int) -> int:
    """As many as are configured, or as there are descriptors for: without spare ones nobody could look after them."""
    from .web.visitor import MOST

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:  # what the shell allows is meant for programs with a handful of files
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    possible = max(1, soft - SPARE_DESCRIPTORS - MOST) if soft != resource.RLIM_INFINITY else wanted
    if possible < wanted:
        log.warning("fewer connections than configured", possible=possible, configured=wanted, descriptors=soft)
    return min(wanted, possible)


def give_back_memory() -> None:
    """What is large goes back to the system when it is freed, and all threads share one heap. Left to itself glibc
    keeps what two hashed passwords took, twice over, and a heap a thread: an attack ends, its memory stays."""
    with suppress(OSError, AttributeError):  # another libc has other habits
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, ROOM)
        mallopt(M_ARENA_MAX, 1)


async def serve(
    config: Config, *, stop: asyncio.Event, ready: Callable[[Gateway, Endpoints], None] | None = None
) -> None:
    """Run until `stop` is set. A StoreError, or an OSError (an address in use), ends it before it began."""
    from prometheus_client import make_asgi_app

    from .admin import Admin
    from .admin.exports import FOLDER
    from .archive import Archive, open_archive
    from .exports import Exporter, open_exports
    from .mail.handover import carrier
    from .mail.post import Post
    from .mail.postman import Postman, open_postman
    from .payment import Payment
    from .till import Till, open_till
    from .web.local import create_local, local_api
    from .web.public import create_public, public_web
    from .web.unix import NAME

    config.data_dir.mkdir(parents=True, exist_ok=True)
    async with open_store(config.data_dir) as store, AsyncExitStack() as listeners:
        gateway = Gateway(config, store, max_connections=connections_at_most(config.smpp.max_connections))
        listeners.push_async_callback(gateway.stop)
        endpoints = await gateway.start()
        payment = Payment(config.payment.url, config.payment.secret) if config.payment.url else None
        post = None
        if config.mail.host:
            carry, sender, url = carrier(config.mail), config.mail.sender, config.web.address
            postman = Postman(store, gateway, carry, sender, url, gateway.wall, gateway.meter)
            post = Post(store, gateway.wall_ms, postman.wake)
            await listeners.enter_async_context(open_postman(postman))
        till = Till(store, payment, gateway.wall, post.announce if post else None, gateway.meter)
        await listeners.enter_async_context(open_till(till))
        await listeners.enter_async_context(open_archive(Archive(store, gateway.wall)))
        folder = config.data_dir / FOLDER
        admin = Admin(store, gateway.minter, gateway.wall, gateway, post, config.web.address, payment, folder)
        await listeners.enter_async_context(open_exports(Exporter(admin, folder, gateway.wall)))
        await listeners.enter_async_context(local_api(config.data_dir / NAME, create_local(admin)))
        if (at := config.metrics.listen) is not None:
            metrics = make_asgi_app(gateway.meter.registry)
            endpoints = endpoints._replace(
                metrics=Address(*await listeners.enter_async_context(public_web(*at, metrics)))
            )
        if (at := config.web.listen) is not None:
            public = create_public(admin, gateway.unready, config.web.trusted_proxies)
            endpoints = endpoints._replace(web=Address(*await listeners.enter_async_context(public_web(*at, public))))
        gc.freeze()  # what is alive now stays: the collector need not look at it again
        gc.set_threshold(*COLLECT)
        if ready is not None:
            ready(gateway, endpoints)
        await stop.wait()
        log.info("stopping")


def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody caught. asyncio itself would print the arguments of the callback: numbers, and texts of messages."""
    what = str(context["message"]).partition("<")[0]
    log.error("background work failed", what=what, exc_info=context.get("exception"))


def run(config: Config, ready: Callable[[Gateway, Endpoints], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, on uvloop where there is one; SIGHUP reads the certificates again."""
    give_back_memory()
    sys.setswitchinterval(SWITCH)
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):  # not on every platform; everything works without it, only slower
        from uvloop import new_event_loop

        loop_factory = new_event_loop

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.set_exception_handler(tell)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)

        def started(gateway: Gateway, endpoints: Endpoints) -> None:
            loop.add_signal_handler(signal.SIGHUP, gateway.follow_certificates)
            if ready is not None:
                ready(gateway, endpoints)

        await serve(config, stop=stop, ready=started)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
