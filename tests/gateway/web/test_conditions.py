"""Settings are changed by who has seen them, and money is moved once for each key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.desk import Desk, open_desk
from tests.gateway.web.visitors import person, public, token

API = "/api/v1"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "credits": "10"})
        yield opened


async def test_settings_are_changed_by_who_has_seen_them(scene: Desk) -> None:
    key = await token(scene, await person(scene, operator=True), "read", "settings")
    async with public(scene, key) as client:
        etag = (await client.get(f"{API}/accounts/acme")).headers["etag"]
        assert (await client.patch(f"{API}/accounts/acme", json={"window": 5})).status_code == 428
        changed = await client.patch(f"{API}/accounts/acme", json={"window": 5}, headers={"If-Match": etag})
        assert (changed.status_code, changed.json()["window"]) == (200, 5)
        for stale in (etag, 'W/"x"', "nonsense"):
            refused = await client.patch(f"{API}/accounts/acme", json={"window": 6}, headers={"If-Match": stale})
            assert (refused.status_code, refused.headers["content-type"]) == (412, "application/problem+json")
        for fresh in (changed.headers["etag"], "*"):
            again = await client.patch(f"{API}/accounts/acme", json={"window": 7}, headers={"If-Match": fresh})
            assert again.status_code == 200
        schema = (await client.get(f"{API}/openapi.json")).json()
        assert {"412", "428"} <= set(schema["paths"][f"{API}/accounts/{{name}}"]["patch"]["responses"])


async def test_an_address_may_be_added_by_whoever_but_not_on_what_is_not_so_any_more(scene: Desk) -> None:
    key = await token(scene, await person(scene, operator=True), "read", "settings")
    here, ips = f"{API}/accounts/acme/addresses", f"{API}/accounts/acme/smpp/allowedIPs"
    async with public(scene, key) as client:
        etag = {"If-Match": (await client.get(ips)).headers["etag"]}
        added = await client.post(here, json={"address": "192.0.2.1"}, headers=etag)
        assert (added.status_code, added.headers["etag"] != etag["If-Match"]) == (200, True)
        more = {"action": "add", "ips": ["192.0.2.2"]}
        assert (await client.post(here, json={"address": "192.0.2.3"}, headers=etag)).status_code == 412
        assert (await client.delete(f"{here}/192.0.2.1", headers=etag)).status_code == 412
        assert (await client.put(ips, json=more, headers=etag)).status_code == 412
        assert (await client.put(ips, json=more)).json() == {"ips": ["192.0.2.1", "192.0.2.2"]}
        fresh = {"If-Match": (await client.get(ips)).headers["etag"]}
        assert (await client.delete(f"{here}/192.0.2.1", headers=fresh)).status_code == 200


async def test_a_price_plan_is_set_by_who_has_seen_it(scene: Desk) -> None:
    key = await token(scene, await person(scene, operator=True), "read", "operate")
    async with public(scene, key) as client:
        path, body = f"{API}/price-plans/default", {"prices": {"*": "2"}}
        etag = (await client.get(path)).headers["etag"]
        assert (await client.put(path, json=body)).status_code == 428
        changed = await client.put(path, json=body, headers={"If-Match": etag})
        assert changed.status_code == 200
        assert (await client.put(path, json=body, headers={"If-Match": etag})).status_code == 412
        assert (await client.put(path, json=body, headers={"If-Match": changed.headers["etag"]})).status_code == 200


async def test_a_price_plan_is_deleted_by_who_has_seen_it(scene: Desk) -> None:
    await scene.operator.prices.set("gold", {"*": "2"})
    key = await token(scene, await person(scene, operator=True), "read", "operate")
    async with public(scene, key) as client:
        path = f"{API}/price-plans/gold"
        etag = {"If-Match": (await client.get(path)).headers["etag"]}
        await scene.operator.prices.set("gold", {"*": "3"})
        assert (await client.delete(path)).status_code == 428
        assert (await client.delete(path, headers=etag)).status_code == 412
        await scene.operator.accounts.change("acme", {"price_plan": "gold"})
        refused = await client.delete(path, headers={"If-Match": "*"})
        assert (refused.status_code, "smpp-acme" in refused.json()["detail"]) == (409, True)
        await scene.operator.accounts.change("acme", {"price_plan": None})
        assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 204
        assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 404
        assert (await client.delete(f"{API}/price-plans/default", headers={"If-Match": "*"})).status_code == 409


async def test_a_key_moves_money_once_and_gets_the_same_answer(scene: Desk) -> None:
    key = await token(scene, await person(scene, operator=True), "operate")
    async with public(scene, key) as client:
        headers = {"Idempotency-Key": "k1"}
        first = await client.post(f"{API}/accounts/acme/credits", json={"amount": "5"}, headers=headers)
        again = await client.post(f"{API}/accounts/acme/credits", json={"amount": "5"}, headers=headers)
        assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
        other = await client.post(f"{API}/accounts/acme/credits", json={"amount": "6"}, headers=headers)
        assert (other.status_code, "another request" in other.json()["detail"]) == (409, True)
        long = await client.post(
            f"{API}/accounts/acme/credits", json={"amount": "5"}, headers={"Idempotency-Key": "k" * 201}
        )
        assert long.status_code == 422
    assert (await scene.operator.accounts.show("acme"))["balance"] == "15"


async def test_what_was_refused_leaves_the_key_free(scene: Desk) -> None:
    key = await token(scene, await person(scene, operator=True), "operate")
    async with public(scene, key) as client:
        headers = {"Idempotency-Key": "k2"}
        for body, status in (({"amount": "x"}, 422), ({"amount": "-99"}, 409), ({"amount": "1"}, 200)):
            answer = await client.post(f"{API}/accounts/acme/credits", json=body, headers=headers)
            assert answer.status_code == status


async def test_an_interrupted_request_is_asked_again_where_its_transaction_knows_the_key(scene: Desk) -> None:
    who = await person(scene, operator=True)
    async with public(scene, await token(scene, who, "operate", "read")) as client:
        path, headers = f"{API}/accounts/acme/credits", {"Idempotency-Key": "k3"}
        await client.post(path, json={"amount": "5"}, headers=headers)
        await scene.store.answers.drop(f"person {who.id}", "k3")  # as if it had not been kept
        assert (await client.post(path, json={"amount": "5"}, headers=headers)).status_code == 200
    assert (await scene.operator.accounts.show("acme"))["balance"] == "15"
