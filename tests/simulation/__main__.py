"""Tell one seed's story: python -m tests.simulation SEED [--quiet], or look for bad ones: FIRST-LAST."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from .disk import blank
from .world import story


def main(words: list[str]) -> int:
    first, _, last = words[0].partition("-")
    alone = not last
    tell = print if alone and "--quiet" not in words else None
    bad = 0
    with TemporaryDirectory() as folder:
        template = blank(Path(folder) / "blank")
        for seed in range(int(first), int(last or first) + 1):
            began = time.monotonic()
            told = story(seed, template, tell)
            if alone or told.findings:
                print(f"seed {seed}: {told.counts} {told.trace[:16]} in {time.monotonic() - began:.2f} s")
            for finding in told.findings[:20]:
                print(f"  {finding}")
            bad += bool(told.findings)
    print(f"{bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
