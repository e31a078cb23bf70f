"""The gateway with a way to ask what it holds: at SIGUSR2 it writes the numbers of its objects and tasks to a file.

python -m tests.overload.counted serve …, with the file's name in COUNTS_FILE.
"""

import asyncio
import gc
import json
import os
import signal
from pathlib import Path

from gateway.app import Gateway
from gateway.cli import main

START = Gateway.start


async def counting(gateway: Gateway) -> object:
    loop, file = asyncio.get_running_loop(), Path(os.environ["COUNTS_FILE"])

    def count() -> None:
        gc.collect()
        counts = {"objects": len(gc.get_objects()), "tasks": len(asyncio.all_tasks(loop))}
        unfinished = file.with_suffix(".new")
        unfinished.write_text(json.dumps(counts))
        unfinished.rename(file)

    loop.add_signal_handler(signal.SIGUSR2, count)
    return await START(gateway)


if __name__ == "__main__":
    Gateway.start = counting  # type: ignore[assignment, method-assign]
    main(prog_name="smppgate")
