"""make sbom: what smppgate is made of, as CycloneDX JSON, from the lock file alone.

Invariant: the same lock gives the same file, octet by octet; every package stands in it with its version and hashes.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+?)(?: ;.*?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
HASH = re.compile(r"sha256:([0-9a-f]{64})")


def component(name: str, version: str, hashes: str) -> dict[str, Any]:
    """The hashes are those of the files a package index may give for this version: one of them is installed."""
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    listed = [{"alg": "SHA-256", "content": each} for each in HASH.findall(hashes)]
    files = [{"type": "distribution", "url": purl, "hashes": listed}]
    named = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return {**named, "externalReferences": files}


def bill(lock: str, project: dict[str, Any]) -> dict[str, Any]:
    parts = [component(*found) for found in PINNED.findall(lock)]
    me = f"pkg:pypi/{project['name']}@{project['version']}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, me + lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": me, "name": project["name"], "version": project["version"], "purl": me
            }
        },
        "components": parts,
        "dependencies": [{"ref": me, "dependsOn": [part["bom-ref"] for part in parts]}],
    }  # fmt: skip


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    made = bill((ROOT / "requirements.lock").read_text("utf-8"), project)
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target}: {len(made['components'])} packages\n")


if __name__ == "__main__":
    main()
