"""The gateway with a way to ask what it holds: at SIGUSR2 it writes how many objects of each type it has, and how many
tasks, to a file.

python -m tests.overload.counted serve …, with the file's name in COUNTS_FILE.
"""

import asyncio
import gc
import json
import os
import signal
from collections import Counter
from pathlib import Path

from gateway.app import Gateway
from gateway.cli import main

START = Gateway.start
BOUNDED = {"sqlite3.Statement", "weakref.ReferenceType"}
"""What sqlite3 keeps up to bounds of its own: as many prepared statements as the store allows a connection, and weak
references to the last two hundred cursors. They come and go for as long as new lengths of lists are met."""


async def counting(gateway: Gateway) -> object:
    loop, file = asyncio.get_running_loop(), Path(os.environ["COUNTS_FILE"])

    def count() -> None:
        gc.collect()
        types = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
        kept = {kind: number for kind, number in types.items() if kind not in BOUNDED}
        counts = {"types": kept, "tasks": len(asyncio.all_tasks(loop))}
        unfinished = file.with_suffix(".new")
        unfinished.write_text(json.dumps(counts))
        unfinished.rename(file)

    loop.add_signal_handler(signal.SIGUSR2, count)
    return await START(gateway)


if __name__ == "__main__":
    Gateway.start = counting  # type: ignore[assignment, method-assign]
    main(prog_name="smppgate")
