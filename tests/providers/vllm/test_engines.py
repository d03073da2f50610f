"""Who asks the same model with the same options shares one engine; the last one to leave ends it."""

import asyncio

import pytest

from llmkit.errors import EngineError
from llmkit.providers.vllm import engines
from tests.providers.vllm.test_engine import alive, engine, pytestmark, stand_in  # noqa: F401


async def test_two_users_share_one_engine_and_the_last_one_ends_it():
    made = []

    def make():
        made.append(engine())
        return made[-1]

    one, two = await asyncio.gather(engines.join("key", make), engines.join("key", make))
    assert one is two
    assert len(made) == 1
    await engines.leave("key")
    assert (await two.post("echo", {"still": "here"})).document == {"still": "here"}
    await engines.leave("key")
    assert not alive(one.pid)


async def test_other_keys_have_engines_of_their_own():
    one, two = await engines.join("one", engine), await engines.join("two", engine)
    assert one is not two
    await engines.leave("one")
    await engines.leave("two")


async def test_after_the_last_one_left_another_is_started():
    first = await engines.join("key", engine)
    await engines.leave("key")
    second = await engines.join("key", engine)
    assert second is not first
    await engines.leave("key")


async def test_a_start_that_failed_is_tried_again_by_the_next():
    with pytest.raises(EngineError):
        await engines.join("key", lambda: engine("fails"))
    assert (await engines.join("key", engine)).facts["max_model_len"] == 8
    await engines.leave("key")
