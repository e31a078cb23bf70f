"""Time zones by name."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.zones import zone_of


@pytest.fixture
def no_data() -> Iterator[None]:
    """As on a machine without time zone data, or a process without descriptors."""
    zone_of.cache_clear()
    zoneinfo.ZoneInfo.clear_cache()
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    yield
    zoneinfo.reset_tzpath(to=before)


def test_utc_needs_no_data(no_data: None) -> None:
    assert zone_of("UTC") is UTC


def test_what_was_asked_for_once_needs_no_file_any_more() -> None:
    warsaw, before = zone_of("Europe/Warsaw"), zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    try:
        assert zone_of("Europe/Warsaw") is warsaw
    finally:
        zoneinfo.reset_tzpath(to=before)
    assert datetime(2026, 7, 1, tzinfo=warsaw).utcoffset() == timedelta(hours=2)
