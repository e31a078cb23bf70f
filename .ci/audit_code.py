"""make audit-code: bandit over the product, pip-audit over what it depends on.

Invariant: a finding fails unless it stands below with its reason, a reason that no finding needs fails as well, and
what could not be looked up is never counted as clean.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("pdu", "acl", "store", "gateway")
EVERYWHERE = {
    "B101": "asserts tell mypy what the line before has made sure; none of them guards anything",
    "B608": "SQL is put together from texts of this program, values are always bound; ruff's S608 explains each place",
}
EXPLAINED = {
    ("B105", "acl/reasons.py"): "the name of a reason to refuse",
    ("B105", "gateway/admin/own.py"): "the name of a field in the change log",
    ("B104", "gateway/cli/serving.py"): "a table of what a client uses instead of 0.0.0.0; nothing listens there",
    ("B104", "gateway/config.py"): "the same table",
    ("B106", "gateway/smpp/server.py"): "an empty password, so that OpenSSL refuses an encrypted key and does not ask",
    ("B307", "pdu/grammar.py"): "compiles the tables of the protocol, which are constants of this program",
    ("B311", "acl/password.py"): "the source is an argument, and is secrets.SystemRandom wherever it counts",
    ("B704", "gateway/web/panel/rendering.py"): "markup comes from the catalogue; % escapes every value",
}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def report(*words: str) -> Any:
    command = [sys.executable, "-m", *words]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (our own words)
    try:
        return json.loads(ran.stdout)
    except ValueError:
        sys.exit(f"{words[0]} did not report: {ran.stderr.strip()[-500:]}")


def bandit() -> Iterator[str]:
    unneeded = set(EXPLAINED)
    for found in report("bandit", "-q", "-r", *ROOMS, "-f", "json")["results"]:
        where = (found["test_id"], found["filename"])
        unneeded.discard(where)
        if found["test_id"] not in EVERYWHERE and where not in EXPLAINED:
            yield f"{found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}"
    for test, file in sorted(unneeded):
        yield f"{file}: {test} is explained, but bandit finds it no more"


def advisories() -> Iterator[str]:
    locked = report("pip_audit", "--disable-pip", "--no-deps", "-r", "requirements.lock", "-f", "json")["dependencies"]
    unknown = [each["name"] for each in locked if "skip_reason" in each]
    for each in locked:
        for flaw in each.get("vulns", ()):
            mended = ", ".join(flaw["fix_versions"]) or "no version"
            yield f"{each['name']} {each['version']}: {flaw['id']}, mended in {mended}"
    if unknown:
        say(
            f"NOT AUDITED: {len(unknown)} of {len(locked)} packages, because the advisory service does not answer here"
            f" ({', '.join(unknown[:5])} …). Repeat it where the network is open."
        )


def main() -> None:
    found = [*bandit(), *advisories()]
    if found:
        sys.exit("\n".join(found))
    say(f"bandit: nothing that is not explained ({len(EXPLAINED)} places, {len(EVERYWHERE)} rules)")


if __name__ == "__main__":
    main()
