"""A store with a past is one that its server could have written."""

from pathlib import Path
from time import time

from bench import account, filling
from store.sqlite import open_store


async def test_the_books_of_a_filled_store_are_right_and_its_receipts_wait(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        mine = await store.add_account("smpp-other", account.OTHER.system_id, "-", {}, int(time() * 1000), 10**9)
    await filling.filled(tmp_path, account.OTHER, 2 * filling.GROUP + 1, 3600.0, owed=True)
    async with open_store(tmp_path) as store:
        assert await store.audit() == []
        assert (await store.owed_counts())[mine.id][0] == 2 * filling.GROUP + 1
        assert await store.pending() == []
        [newest] = await store.messages(mine.id, limit=1)
    assert abs(newest.at / 1000 - time()) < 60
