"""Files whose text is an option of the model: base is asked with base's."""

from __future__ import annotations

import pytest

from tests.gate.repository import FILES, SUITE, Repo, needs_git

pytestmark = needs_git

MODEL = "vllm/org/small"  # nothing is started here, so vLLM need not be there
TEMPLATE = "{{ messages }}\n{# polite #}\n"
FILE = "serving/chat.jinja"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 15\n".format("0" * 64)


def project(template: str | bytes = TEMPLATE, named: str = FILE) -> dict[str, str | bytes]:
    return {
        **FILES,
        "llmkit.toml": f'[models."{MODEL}"]\nchat_template = "{named}"\n',
        "suites/sums.yaml": SUITE.replace("scripted/echo", MODEL),
        FILE: template,
    }


@pytest.fixture
def templated(empty: Repo) -> Repo:
    """A project whose model has a chat template under git."""
    return empty.start(project())


def on_base(repo: Repo, base: str | None = None) -> object:
    model = repo.one(base).base_model
    assert model is not None
    return model.options["chat_template"]


def test_a_file_that_is_as_it_was_reaches_nothing(templated: Repo) -> None:
    assert templated.diff().reached == ()


def test_an_edited_template_is_asked_on_head_alone(templated: Repo) -> None:
    templated.edit(FILE, "polite", "rude")
    one = templated.one()
    (change,) = one.changes
    assert (change.part, change.path, change.asks) == ("params", FILE, True)
    assert change.detail == "chat_template: changed in line 2"
    assert one.base_model is not None and one.head_model is not None
    assert one.base_model.options["chat_template"] == TEMPLATE
    assert one.head_model.options["chat_template"] == FILE


def test_a_template_that_became_another_file_is_bases_own_on_base(templated: Repo) -> None:
    templated.write({"serving/new.jinja": "{{ new }}", FILE: "{{ edited }}"})
    templated.edit("llmkit.toml", "chat.jinja", "new.jinja")
    assert [change.detail for change in templated.one().changes] == [
        'chat_template: "serving/chat.jinja" → "serving/new.jinja"'
    ]
    assert on_base(templated) == TEMPLATE


def test_a_template_that_is_gone_is_still_there_on_base(templated: Repo) -> None:
    (templated.top / FILE).unlink()
    assert [change.detail for change in templated.one().changes] == ["chat_template: deleted"]
    assert on_base(templated) == TEMPLATE


def test_what_the_command_line_names_is_the_same_on_both_sides(templated: Repo) -> None:
    templated.edit(FILE, "polite", "rude")
    assert templated.diff(params={"chat_template": FILE}).reached == ()


def test_a_path_is_that_of_the_current_folder(templated: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    templated.edit("llmkit.toml", FILE, "chat.jinja")
    templated.commit()
    templated.edit(FILE, "polite", "rude")
    monkeypatch.chdir(templated.top / "serving")
    assert on_base(templated, "HEAD") == TEMPLATE


@pytest.mark.parametrize("folder", [False, True])
def test_a_link_is_followed(templated: Repo, folder: bool) -> None:
    link, target, path = ("way", "serving", "way/chat.jinja") if folder else ("way.jinja", FILE, "way.jinja")
    (templated.top / link).symlink_to(target)
    templated.edit("llmkit.toml", FILE, path)
    templated.commit()
    assert templated.diff("HEAD").reached == ()
    templated.edit(FILE, "polite", "rude")
    assert on_base(templated, "HEAD") == TEMPLATE


@pytest.mark.parametrize("named", ["outside.jinja", "~nobody-of-that-name/c.jinja", "no\\u0000file", "ignored.jinja"])
def test_what_git_does_not_hold_is_the_working_trees(empty: Repo, named: str) -> None:
    empty.start({**project(named=named), ".gitignore": "ignored.jinja\n"})
    (empty.top / "outside.jinja").symlink_to(empty.top.parent / "elsewhere.jinja")
    empty.write({"ignored.jinja": "{{ x }}"})
    empty.commit()
    (empty.top.parent / "elsewhere.jinja").write_text("{{ y }}")
    empty.write({"ignored.jinja": "{{ y }}"})
    assert empty.diff("HEAD").reached == ()


def test_line_ends_decide_nothing(empty: Repo) -> None:
    empty.start(project(TEMPLATE.replace("\n", "\r\n").encode()))
    empty.write({FILE: TEMPLATE})
    assert empty.diff().reached == ()
    empty.edit(FILE, "polite", "rude")
    assert on_base(empty) == TEMPLATE


@pytest.mark.parametrize("text", ["", "plain", "{{ messages }}"])
def test_a_template_in_the_settings_is_no_file(empty: Repo, text: str) -> None:
    empty.start(project(named=text or "{% raw %}"))
    empty.write({FILE: "{{ other }}"})
    assert empty.diff().reached == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff{{ messages }}", "cannot be read"),
        (POINTER, "its content is in Git LFS, and the commit holds a pointer alone"),
        ("plain", "cannot be told from a path"),
        ("", "cannot be told from a path"),
    ],
)
def test_what_is_no_template_at_base_cannot_be_compared(empty: Repo, content: str | bytes, reason: str) -> None:
    empty.start(project(content))
    empty.write({FILE: TEMPLATE})
    one = empty.one()
    assert one.base is None and one.reason is not None
    assert one.reason.startswith("base's chat_template cannot be ") and reason in one.reason
    assert "serving/chat.jinja" in one.reason
    assert [(change.part, change.detail) for change in one.changes] == [("params", one.reason)]
