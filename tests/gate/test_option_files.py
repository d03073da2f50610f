"""Files that a model's options name: base is asked with base's."""

from __future__ import annotations

import pytest

from tests.gate.repository import FILES, SUITE, Repo, needs_git

pytestmark = needs_git

MODEL = "vllm/org/small"  # nothing is started here, so vLLM need not be there
TEMPLATE = "{{ messages }}\n{# polite #}\n"
CONFIG = f'[models."{MODEL}"]\n'


@pytest.fixture
def templated(empty: Repo) -> Repo:
    """A project whose model has a chat template and an adapter, both under git."""
    config = CONFIG + 'chat_template = "serving/chat.jinja"\nlora = "serving/adapter"\n'
    return empty.start(
        {
            **FILES,
            "llmkit.toml": config,
            "suites/sums.yaml": SUITE.replace("scripted/echo", MODEL),
            "serving/chat.jinja": TEMPLATE,
            "serving/adapter/adapter_config.json": "{}",
        }
    )


def test_files_that_are_as_they_were_reach_nothing(templated: Repo) -> None:
    assert templated.diff().reached == ()


def test_an_edited_chat_template_is_asked_on_head_alone(templated: Repo) -> None:
    templated.edit("serving/chat.jinja", "polite", "rude")
    one = templated.one()
    (change,) = one.changes
    assert (change.part, change.path, change.asks) == ("params", "serving/chat.jinja", True)
    assert change.detail == "chat_template: changed in line 2"
    assert one.base_model is not None and one.head_model is not None
    assert one.base_model.options["chat_template"] == TEMPLATE
    assert one.head_model.options["chat_template"] == "serving/chat.jinja"


def test_a_template_that_became_another_file_is_bases_own_on_base(templated: Repo) -> None:
    templated.write({"serving/new.jinja": "{{ new }}", "serving/chat.jinja": "{{ edited }}"})
    templated.edit("llmkit.toml", "chat.jinja", "new.jinja")
    one = templated.one()
    assert [change.detail for change in one.changes] == [
        'chat_template: "serving/chat.jinja" → "serving/new.jinja"',
    ]
    assert one.base_model is not None and one.base_model.options["chat_template"] == TEMPLATE


def test_what_the_command_line_names_is_the_same_on_both_sides(templated: Repo) -> None:
    templated.edit("serving/chat.jinja", "polite", "rude")
    assert templated.diff(params={"chat_template": "serving/chat.jinja"}).reached == ()


def test_a_path_is_that_of_the_current_folder(templated: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    templated.edit("serving/chat.jinja", "polite", "rude")
    templated.edit("llmkit.toml", "serving/chat", "chat")
    templated.commit("base names it as serving/ does")
    templated.edit("serving/chat.jinja", "rude", "short")
    monkeypatch.chdir(templated.top / "serving")
    one = templated.one(base="HEAD")
    assert one.base_model is not None and "rude" in one.base_model.options["chat_template"]


@pytest.mark.parametrize("name", ["adapter_config.json", "more.safetensors"])
def test_an_adapter_that_changed_cannot_be_compared(templated: Repo, name: str) -> None:
    templated.write({f"serving/adapter/{name}": '{"r": 8}'})
    one = templated.one()
    assert one.base is None
    assert one.reason == (
        f"base's lora differs from the working tree's (serving/adapter/{name}), and no folder is taken out of a commit"
    )


def test_weights_that_git_does_not_hold_are_the_working_trees(templated: Repo) -> None:
    templated.edit("llmkit.toml", "serving/adapter", "trained")
    templated.write({".gitignore": "trained\n"})
    templated.commit("an adapter that is not committed")
    templated.write({"trained/adapter_config.json": "{}"})
    assert templated.diff(base="HEAD").reached == ()


def test_a_template_that_is_no_text_at_base_cannot_be_compared(templated: Repo) -> None:
    (templated.top / "serving/chat.jinja").write_bytes(b"\xff{{ messages }}")
    templated.commit("broken")
    templated.write({"serving/chat.jinja": TEMPLATE})
    one = templated.one(base="HEAD")
    assert one.base is None and one.reason is not None
    assert one.reason.startswith("base's chat_template cannot be read: ") and "serving/chat.jinja" in one.reason
