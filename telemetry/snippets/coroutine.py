import asyncio

from telemetry.record import with_job_telemetry

who = {"user_id": "usr_7kq2h9", "tier": "free", "domain": "search"}


@with_job_telemetry("rebuild-index", who)
async def rebuild_index(pages: int) -> int:
    await asyncio.sleep(0.01)
    return pages


asyncio.run(rebuild_index(3))
