"""One prompt on one row: the exact messages, their tokens and price, and nothing sent."""

from pathlib import Path

import pytest

from llmkit.errors import UsageError
from llmkit.runs.inspect import inspect
from llmkit.types import Message
from tests.providers.server import Server
from tests.runs.project import answering, rows

PROMPT = "---\nname: adder\n---\nsystem:\nAdd.\nuser:\n{{question}}\n"
PRICED = '[prices."openai/adder"]\ninput = 3.0\noutput = 15.0\n'


@pytest.fixture
def prompt(project):
    path = project.folder / "adder.prompty"
    path.write_text(PROMPT)
    project.monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    return path


def suite_of(project, data=None, **how):
    path = project.folder / "sums.yaml"
    project.suite(data if data is not None else rows(5), **how)
    text = path.read_text()
    start = text.index("messages:")
    path.write_text(text[:start] + "prompt: adder.prompty" + text[text.index("\n", start) :])
    return str(path)


async def test_the_messages_are_those_that_go_out(project, prompt):
    async with Server(default=answering()) as server:
        suite = suite_of(project)
        shown = await inspect(prompt, suite, 3, "openai/adder", None)
        await project.one(server, suite)
    assert shown.messages == (Message("system", "Add."), Message("user", "2+1"))
    sent = [{"role": m.role, "content": m.content} for m in shown.messages]
    assert sent in [seen.body["messages"] for seen in server.log]


async def test_the_row_is_named_by_its_line(project, prompt):
    shown = await inspect(prompt, suite_of(project), 3, "openai/adder", None)
    assert shown.row.endswith("sums.jsonl:3")


async def test_tokens_that_nobody_can_count_are_bounded(project, prompt):
    shown = await inspect(prompt, suite_of(project), 1, "openai/adder", None)
    assert shown.tokens is None
    assert shown.most_tokens >= len("Add.0+1")


async def test_tokens_are_counted_where_the_model_can(project, prompt):
    shown = await inspect(prompt, suite_of(project), 1, "scripted/echo", None)
    assert shown.tokens == shown.most_tokens == 2  # 7 bytes at 4 a token
    assert shown.input_usd == 0.0


async def test_the_price_is_that_of_the_tokens(project, prompt):
    project.configure(PRICED)
    suite = suite_of(project, more="params: {max_tokens: 10}\n")
    shown = await inspect(prompt, suite, 1, "openai/adder", None)
    assert shown.input_usd == pytest.approx(shown.most_tokens * 3e-6)
    assert shown.worst_case_usd == pytest.approx(shown.input_usd + 10 * 15e-6)


async def test_an_unknown_price_is_unknown(project, prompt):
    shown = await inspect(prompt, suite_of(project), 1, "openai/adder", None)
    assert (shown.input_usd, shown.worst_case_usd) == (None, None)


async def test_without_a_model_the_messages_are_shown_all_the_same(project, prompt):
    shown = await inspect(prompt, suite_of(project), 1, None, None)
    assert (shown.model, shown.input_usd, len(shown.messages)) == (None, None, 2)


async def test_a_row_beyond_the_end_is_refused(project, prompt):
    with pytest.raises(UsageError, match="no row 6"):
        await inspect(prompt, suite_of(project), 6, "openai/adder", None)


async def test_a_bad_row_says_what_is_wrong_with_it(project, prompt):
    suite = suite_of(project)
    path = project.folder / "sums.jsonl"
    path.write_text("{broken\n" + path.read_text())
    with pytest.raises(UsageError, match=r"sums\.jsonl:1"):
        await inspect(prompt, suite, 1, "openai/adder", None)


async def test_without_a_suite_the_prompt_says_what_it_needs(project, prompt):
    with pytest.raises(UsageError, match="needs question"):
        await inspect(prompt, None, 1, "openai/adder", None)


async def test_other_data_may_be_looked_at(project, prompt):
    suite = suite_of(project)
    (project.folder / "more.jsonl").write_text('{"id": "x", "question": "9+9", "answer": "18"}\n')
    shown = await inspect(prompt, suite, 1, "openai/adder", str(project.folder / "more.jsonl"))
    assert shown.messages[-1].content == "9+9"


async def test_a_makers_price_does_not_hold_for_the_same_name_on_another_server(project, prompt):
    at_home, elsewhere = "openai/gpt-4o-mini", "openai/gpt-4o-mini@http://127.0.0.1:9/v1"
    project.monkeypatch.delenv("OPENAI_BASE_URL")
    project.monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    suite = suite_of(project, more="params: {max_tokens: 10}\n")
    shown = await inspect(prompt, suite, 1, at_home, None)
    assert shown.input_usd > 0 and shown.worst_case_usd > shown.input_usd
    shown = await inspect(prompt, suite, 1, elsewhere, None)
    assert (shown.input_usd, shown.worst_case_usd) == (None, None)


async def test_a_file_that_is_no_prompt_is_refused(project, prompt):
    with pytest.raises(UsageError, match=r"sums\.yaml: this is no prompt file\. Its ending is \.prompty"):
        await inspect(Path(suite_of(project)), None, 1, "openai/adder", None)


@pytest.mark.parametrize("name", ["nope", "opnai/m"])
async def test_a_wrong_model_in_a_prompt_is_named_by_its_line(project, prompt, name):
    prompt.write_text(PROMPT.replace("name: adder", f"name: adder\nmodel:\n  id: {name}"))
    with pytest.raises(UsageError, match=r"adder\.prompty:4: unknown (model|provider)"):
        await inspect(prompt, suite_of(project), 1, None, None)


async def test_it_is_also_where_no_suite_is_named(project, prompt):
    prompt.write_text("---\nmodel: nope\n---\nhi\n")
    with pytest.raises(UsageError, match=r"adder\.prompty:2: unknown model"):
        await inspect(prompt, None, 1, None, None)
