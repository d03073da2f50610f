"""A server that asks to be left alone for a day ends the run at once: nobody sits the pauses out."""

from tests.providers.server import Server, status
from tests.runs.project import add, answering


async def test_a_run_stops_with_the_servers_own_words(project):
    asks = status(429, {"error": {"message": "Daily quota reached"}}, headers={"Retry-After": "100000"})
    async with Server(default=answering(lambda text: add(text) if text in ("0+1", "1+1") else asks)) as server:
        (ending,) = await project.run(server, project.suite(100), concurrency=4)
    assert ending.result.status == "failed"
    assert "Daily quota reached. It asks to wait 27 h 47 min" in str(ending.error)
    assert ending.result.completed == 2
    assert len(server.log) < 30
    assert ending.result.wall_s < 60, "one pause alone takes two minutes"
