"""From the times people ask for to milliseconds: whole days of their own time zone, or exact moments."""

from datetime import date, datetime, time, timedelta

from gateway.zones import zone_of

from .faults import Wrong

EXAMPLE = "is a day such as 2026-11-25 or a moment such as 2026-11-25T14:00:00Z"


def begin(field: str, text: str, zone_name: str, wrong: list[Wrong]) -> int:
    return instant(field, text, zone_name, 0, wrong)


def end(field: str, text: str, zone_name: str, wrong: list[Wrong]) -> int:
    """The first millisecond that is not meant: a day is meant to its end."""
    return instant(field, text, zone_name, 1, wrong)


def instant(field: str, text: str, zone_name: str, days: int, wrong: list[Wrong]) -> int:
    try:
        if len(text) == len("2026-11-25"):
            midnight = datetime.combine(date.fromisoformat(text) + timedelta(days), time(), zone_of(zone_name))
            return max(0, int(midnight.timestamp() * 1000))
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone_of(zone_name))
        return max(0, int(moment.timestamp() * 1000))
    except (ValueError, OverflowError):
        wrong.append(Wrong(field, EXAMPLE))
        return 0
