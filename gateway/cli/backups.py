"""smppgate backup, restore and check: a copy of the store, its way back, and whether the files are whole.

Invariant: a running server copies its store itself, so that no second process ever opens it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from .printing import print_details, print_json
from .whereabouts import Command, Failure, Whereabouts, as_json, pass_whereabouts

HOURS = 6 * 3600.0  # a large store under load is copied slowly, and then read whole


@click.command(cls=Command)
@click.argument("target", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@as_json
@pass_whereabouts
def backup(where: Whereabouts, target: Path, json_: bool) -> None:
    """Copy the store into one verified file, also while the server runs. In a FOLDER it is named after the time.

    Nothing is overwritten. The file is for its owner alone: it holds texts, numbers and password hashes.
    """
    file = target.absolute()
    if file.is_dir():
        file /= f"smppgate-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    tell(where.client(timeout=HOURS).post("backups", body={"file": str(file)}), json_)


@click.command(cls=Command)
@click.argument("source", metavar="BACKUP", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@as_json
@pass_whereabouts
def restore(where: Whereabouts, source: Path, json_: bool) -> None:
    """Put a BACKUP into a data folder that has no store, verify it, and say until when it knows what happened.

    What was accepted later is not in it, and what was still under way in it is sent once more.
    """
    from gateway.admin.shapes import contents
    from store.backup import restore
    from store.protocol import StoreError

    folder = where.config().data_dir
    try:
        found = restore(source.absolute(), folder)
    except (StoreError, OSError) as error:
        raise Failure(f"nothing was restored: {error}") from None
    tell({"file": str(folder), **contents(found)}, json_)


@click.command(cls=Command)
@as_json
@pass_whereabouts
def check(where: Whereabouts, json_: bool) -> None:
    """Read every page of the store, then recompute the books. Exit status 1 if anything is wrong."""
    from .client import DAMAGED

    client = where.client(timeout=HOURS)
    problems: list[str] = client.get("doctor")["damage"]
    problems += [] if problems else client.get("audit")["problems"]
    if json_:
        print_json({"ok": not problems, "problems": problems})
    elif not problems:
        click.echo("the store is whole, and its books are right")
    if problems:
        said = "\n".join(f"  {each}" for each in problems)
        raise click.exceptions.Exit(1) if json_ else Failure(f"the store is damaged\n{said}{DAMAGED}")


def tell(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print_json(found)
    else:
        print_details(
            [
                ("verified", found["file"]),
                ("until", found["until"] or "nothing has happened yet"),
                ("accounts", found["accounts"]),
                ("messages", found["messages"]),
                ("octets", found["octets"]),
            ]
        )
