"""The order of prompts, on a real engine whose cache is too small for the data."""

from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.options import Options
from llmkit.runs.ordering import AsGiven
from llmkit.runs.store import Store
from tests.runs.conftest import project
from tests.vllm import models

__all__ = ["project"]

SMALL = {**models.ENGINE, "kv_cache_memory_bytes": "36M", "max_model_len": 512, "max_num_seqs": 2}
"""A cache of some 700 tokens, in float32."""
DOCUMENTS, QUESTIONS = 4, 3


def rows():
    """Question by question, so that documents of some 300 tokens are interleaved."""
    return [
        {
            "id": f"{number}-{q}",
            "document": " ".join(f"In entry {k} ledger {number} holds {number * 31 + k} drums." for k in range(20)),
            "question": f"What does entry {q} hold?",
            "answer": "drums",
        }
        for q in range(QUESTIONS)
        for number in range(DOCUMENTS)
    ]


async def test_documents_asked_one_after_the_other_are_found_in_the_cache(project, monkeypatch):
    suite = project.suite(
        rows(), prompt="{{document}} {{question}}", scorers="[{includes: {}}]",
        more="params: {temperature: 0, max_tokens: 4}\n",
    )  # fmt: skip
    options = Options(params=SMALL, concurrency=1, cache=False, fresh=True)
    model = f"vllm/{models.folder()}"
    async with models.provider(**SMALL):  # the two runs share it
        (grouped,) = await evaluate_async(suite, model, options=options)
        monkeypatch.setattr("llmkit.runs.runner.ordering", lambda provider: AsGiven())
        (plain,) = await evaluate_async(suite, model, options=options)
    assert [each.error for each in (grouped, plain)] == [None, None]
    one, two = grouped.result.usage, plain.result.usage
    assert (one.input, plain.result.completed) == (two.input, DOCUMENTS * QUESTIONS)
    assert one.cached > one.input / 3  # of three questions about a document, two find its whole blocks
    assert two.cached < one.cached / 2
    with Store(project.store) as store:
        about = [store.run(each.result.run_id).about["requests_fingerprint"] for each in (grouped, plain)]
    assert about[0] == about[1]
