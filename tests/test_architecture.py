"""The house: three leaves (pdu, acl, store) that know neither each other nor the trunk (gateway), which composes them.

Read from the syntax trees, so a forbidden arrow fails here before anybody runs it.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = ("pdu", "acl", "store", "gateway")
LEAVES = ("pdu", "acl", "store")

# Outside the standard library, this is all a leaf may lean on.
ALLOWED = {"pdu": frozenset[str](), "acl": frozenset({"argon2"}), "store": frozenset({"aiosqlite"})}

# Time, threads and the network are arguments to a leaf. The store lives on asyncio's futures, not on its transports.
FORBIDDEN = {
    "pdu": frozenset(
        {"asyncio", "sqlite3", "socket", "ssl", "threading", "concurrent", "selectors", "random", "secrets"}
    ),
    "acl": frozenset({"asyncio", "sqlite3", "socket", "ssl", "threading", "concurrent", "selectors"}),
    "store": frozenset({"socket", "ssl", "selectors"}),
}
TRANSPORTS = frozenset(
    {
        "Protocol", "BufferedProtocol", "DatagramProtocol", "Transport", "StreamReader", "StreamWriter",
        "create_server", "create_connection", "start_server", "open_connection", "start_unix_server",
    }
)  # fmt: skip
VAGUE = frozenset({"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"})

LONGEST_FUNCTION = 60
LONGEST_FILE = 400


def sources(room: str) -> list[Path]:
    return sorted((HOUSE / room).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def where(path: Path, node: ast.stmt | ast.expr) -> str:
    return f"{path.relative_to(HOUSE)}:{node.lineno}"


def imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every absolute module name that a file imports, wherever in the file the import stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, resolved(path, node)


def resolved(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(HOUSE).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_there(room: str) -> None:
    assert (HOUSE / room / "__init__.py").is_file()


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_imports_itself_the_standard_library_and_what_it_is_allowed(leaf: str) -> None:
    wrong = []
    for path in sources(leaf):
        for node, name in imports(path):
            top = name.partition(".")[0]
            standard = top in sys.stdlib_module_names and top not in FORBIDDEN[leaf]
            if not (top == leaf or standard or top in ALLOWED[leaf]):
                wrong.append(f"{where(path, node)} imports {name}")
    assert wrong == []


def test_the_generator_of_loads_is_a_client_and_shares_nothing_with_the_server() -> None:
    """Of this product it may use what `pdu` knows of texts and of the names of numbers, never its codec."""
    wrong = [
        f"{where(path, node)} imports {name}"
        for path in sources("gateway/load")
        for node, name in imports(path)
        if not (name.startswith("gateway.load") or name in ("pdu", "pdu.constants"))
        and name.partition(".")[0] not in sys.stdlib_module_names
    ]
    wrong += [
        f"{where(path, node)} imports {name.name} of pdu"
        for path in sources("gateway/load")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "pdu"
        for name in node.names
        if name.name not in ("text", "constants")
    ]
    assert wrong == []


def test_what_is_on_the_wire_knows_neither_the_desk_nor_its_faces() -> None:
    """A relative import counts as well."""
    faces = ("admin", "web", "cli", "mail")
    wrong = [
        f"{where(path, node)} imports {node.module}"
        for path in sources("gateway/smpp")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module
        if node.module.removeprefix("gateway.").partition(".")[0] in faces
    ]
    assert wrong == []


def test_only_the_command_line_starts_loads() -> None:
    wrong = [
        f"{where(path, node)} imports {name}"
        for room in ROOMS
        for path in sources(room)
        if not path.is_relative_to(HOUSE / "gateway" / "cli") and not path.is_relative_to(HOUSE / "gateway" / "load")
        for node, name in imports(path)
        if name.startswith("gateway.load")
    ]
    assert wrong == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_knows_nothing_of_transports(leaf: str) -> None:
    wrong = [
        f"{where(path, node)} {node.attr}"
        for path in sources(leaf)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr in TRANSPORTS
        and isinstance(node.value, ast.Name)
        and node.value.id in {"asyncio", "loop"}
    ]
    wrong += [
        f"{where(path, node)} {name.name}"
        for path in sources(leaf)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("asyncio")
        for name in node.names
        if name.name in TRANSPORTS
    ]
    assert wrong == []


def test_only_the_store_speaks_to_a_database() -> None:
    """Anybody may ask which SQLite this is, nobody else may open one."""
    outside = [path for room in ROOMS if room != "store" for path in sources(room)]
    wrong = [
        f"{where(path, node)} imports {name}"
        for path in outside
        for node, name in imports(path)
        if name.partition(".")[0] in {"aiosqlite", "asyncpg"}
        or (name == "sqlite3" and isinstance(node, ast.ImportFrom))
    ]
    wrong += [
        f"{where(path, node)} sqlite3.{node.attr}"
        for path in outside
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "sqlite3"
        and node.attr not in {"sqlite_version", "sqlite_version_info"}
    ]
    assert wrong == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_can_be_imported_alone(leaf: str) -> None:
    """All of it, in a fresh interpreter: no other room comes along, nor for `pdu` what a codec has no use for."""
    unwelcome = sorted({*ROOMS, *({"asyncio", "sqlite3"} if leaf == "pdu" else ())} - {leaf})
    program = f"""
import importlib, pkgutil, sys
room = importlib.import_module({leaf!r})
for found in pkgutil.walk_packages(room.__path__, {leaf + "."!r}):
    importlib.import_module(found.name)
print(*[name for name in {unwelcome!r} if name in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, [], "")


@pytest.mark.parametrize("room", ROOMS)
def test_names_say_what_a_module_is_for(room: str) -> None:
    vague = [str(path.relative_to(HOUSE)) for path in sources(room) if VAGUE & {path.stem, path.parent.name}]
    assert vague == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_says_what_it_is_for(room: str) -> None:
    silent = [
        str(path.relative_to(HOUSE)) for path in sources(room) if tree(path).body and not ast.get_docstring(tree(path))
    ]
    assert silent == []


@pytest.mark.parametrize("room", ROOMS)
def test_functions_fit_on_a_screen_and_files_on_a_few(room: str) -> None:
    long = [
        f"{where(path, node)} {node.name}: {length} lines"
        for path in sources(room)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    long += [
        f"{path.relative_to(HOUSE)}: {length} lines"
        for path in sources(room)
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]
    assert long == []
