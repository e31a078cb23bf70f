"""python -m bench: all cases, then the codec. `make bench` runs this; flags are those of bench.command."""

import sys

from bench import codec, command


def main() -> int:
    words = sys.argv[1:]
    ended = command.main(words)
    # Times of single pieces are absolute, so in a short run (CI, any machine) they are shown and not judged.
    if ended or {"--json", "--hold", "--case", "--road", "--help"}.intersection(words):
        return ended
    print()
    return codec.main(["--check"] if "--check" in words and "--short" not in words else ["--rounds", "5"])


if __name__ == "__main__":
    sys.exit(main())
