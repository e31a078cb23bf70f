"""The C programs of the benchmark, compiled when they are first wanted.

Invariant: what runs was built from the sources as they stand. Without a compiler there is no program, and whoever wants
it says so; in CI, where nothing may be left out silently, that ends the benchmark.
"""

import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path

from bench.machine import RESULTS, ROOT, Failed

FLAGS = ("-O2", "-Wall", "-Wextra")
WANTED = "a C compiler (Debian: apt install gcc libc6-dev)"


@cache
def built(name: str) -> Path | None:
    """The program of bench/NAME.c; None if nothing here can compile it. Failed if it does not compile."""
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if compiler is None:
        if os.environ.get("CI"):
            raise Failed(f"bench/{name}.c needs {WANTED}")
        return None
    source = ROOT / "bench" / f"{name}.c"
    program = RESULTS / f"{name}-{stamp(source, source.with_name('smpp.h'))}"
    if not program.exists():
        RESULTS.mkdir(exist_ok=True)
        fresh = program.with_suffix(f".{os.getpid()}")
        command = [compiler, *FLAGS, "-o", str(fresh), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"bench/{name}.c does not compile:\n{done.stderr}")
        fresh.rename(program)  # whole or not there, also for another benchmark that starts now
    return program


def stamp(*sources: Path) -> str:
    """A name for exactly these sources, built this way."""
    return sha256(" ".join(FLAGS).encode() + b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
