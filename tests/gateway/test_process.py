"""What the process says of work that failed in the background."""

import asyncio

from structlog.testing import capture_logs

from gateway.process import tell


def test_what_failed_in_the_background_is_told_without_anybodys_numbers() -> None:
    fault = ValueError("boom")
    loop = asyncio.new_event_loop()
    try:
        with capture_logs() as said:
            tell(loop, {"message": "Exception in callback <settled(48600100200)>", "exception": fault})
    finally:
        loop.close()
    [event] = said
    assert event["exc_info"] is fault
    assert "48600100200" not in str(event)
