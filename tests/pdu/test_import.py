"""The package stands alone."""
import subprocess
import sys
from pathlib import Path

import pdu

MODULES = sorted(path.stem for path in Path(pdu.__file__).parent.glob("*.py") if path.stem != "__init__")


def test_importing_all_of_it_loads_neither_asyncio_nor_sqlite3_nor_a_neighbour() -> None:
    program = "\n".join([*(f"import pdu.{name}" for name in MODULES), "import sys", "print(*sorted(sys.modules))"])

    loaded = subprocess.run([sys.executable, "-c", program], cwd=Path(pdu.__file__).parent.parent, check=True,
                            capture_output=True, text=True).stdout.split()

    assert {f"pdu.{name}" for name in MODULES} <= set(loaded)
    assert not {"asyncio", "sqlite3", "acl", "store", "gateway", "ssl", "socket"} & set(loaded)
