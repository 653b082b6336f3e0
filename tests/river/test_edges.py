from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.river.banks import Gateway


async def test_the_process_says_that_it_is_alive_and_ready_and_what_it_counted(gateway: Gateway) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway") as client:
        alive, ready, counted = [await client.get(path) for path in ("/livez", "/readyz", "/metrics")]
    assert (alive.status_code, alive.json()) == (200, {"alive": True})
    assert (ready.status_code, ready.json()["notReady"]) == (200, [])
    assert "gateway_requests_total" in counted.text
    assert 'gateway_queue_deliveries{status="queued"}' in counted.text
    assert "gateway_open_streams{" in counted.text
