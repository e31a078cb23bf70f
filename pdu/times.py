"""SMPP times, YYMMDDhhmmsstnnp: absolute with an offset in quarter hours, or relative to a given now.

Relative years and months are calendar ones, counted in UTC; a day that the month lacks becomes its last. `now` is an
argument: there is no clock here."""
import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Final

_FORM: Final = re.compile(rb"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9])([0-9]{2})([-+R])")
_BARE: Final = re.compile(rb"[0-9]{12}(?:[0-9]{3})?")
LONGEST_RELATIVE: Final = 100 * 86400               # two digits of days; months are not all alike


def parse(octets: bytes, now: float, tolerant: bool = False) -> float | None:
    """Seconds since the epoch; None for an empty time, ValueError for one that cannot be.

    `tolerant` also reads YYMMDDhhmmss and a time that lost its sign, both as UTC."""
    if not octets:
        return None
    match = _FORM.fullmatch(octets)
    if match is None:
        if not (tolerant and _BARE.fullmatch(octets)):
            raise ValueError("not of the form YYMMDDhhmmsstnnp")
        return parse(octets[:12] + b"000+", now)
    year, month, day, hour, minute, second, tenth, quarters = map(int, match.groups()[:8])
    if match[9] == b"R":
        return _later(now, year, month, timedelta(days=day, hours=hour, minutes=minute, seconds=second))
    if quarters > 48:
        raise ValueError(f"{quarters} quarter hours from UTC")
    local = datetime(year + (2000 if year < 38 else 1900), month, day, hour, minute, second, tenth * 100_000, UTC)
    offset = timedelta(minutes=15 * quarters)
    return (local + offset if match[9] == b"-" else local - offset).timestamp()


def _later(now: float, years: int, months: int, rest: timedelta) -> float:
    start = datetime.fromtimestamp(now, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + years * 12 + months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return (start.replace(year=year, month=month + 1, day=day) + rest).timestamp()


def format_absolute(seconds: float) -> bytes:
    """16 characters, in UTC. ValueError outside 1938 to 2037, the years that two digits can say."""
    when = datetime.fromtimestamp(seconds, UTC)
    if not 1938 <= when.year <= 2037:
        raise ValueError(f"{when.year} has no two digits")
    return b"%b%d00+" % (when.strftime("%y%m%d%H%M%S").encode(), when.microsecond // 100_000)


def format_relative(seconds: float) -> bytes:
    """16 characters. ValueError for less than nothing, or for more than 99 days."""
    if not 0 <= seconds < LONGEST_RELATIVE:
        raise ValueError("a relative time is 0 to 99 days")
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return b"0000%02d%02d%02d%02d000R" % (days, hour, minute, second)
