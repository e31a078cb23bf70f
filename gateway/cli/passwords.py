"""A password on its way in: as a word of the command line, or as a line of standard input.

Invariant: what is typed at a terminal is not shown there.
"""

import sys
from collections.abc import Callable
from getpass import getpass
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

STDIN = "-"
NOTE = ' "-" reads a line from standard input.'


def password_option(meaning: str) -> Callable[[F], F]:
    return click.option("--password", callback=from_stdin, help=meaning + NOTE)


def from_stdin(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Words of a command line are in `ps` and in the history of the shell; standard input is in neither."""
    if value != STDIN:
        return value
    line = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.BadParameter("there is no password on standard input")
    return line
