"""From ``provider/model`` to a provider."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from llmkit.errors import MissingKeyError, ProviderError, UnknownNameError, UsageError
from llmkit.providers import registry
from llmkit.providers.base import Capabilities, ModelRef
from llmkit.providers.registry import create, known, options_of, public, text_options
from llmkit.runs.key import Keys, Replicate
from llmkit.types import Message, Request


class Third:
    """Another package's provider, as small as one can be."""

    capabilities = Capabilities()

    def __init__(self, model, options):
        self.name, self.model, self.options = "third", model, options

    async def complete(self, request):
        raise NotImplementedError


@pytest.fixture
def installed(monkeypatch):
    entries = [
        EntryPoint("third", f"{__name__}:Third", registry.GROUP),
        EntryPoint("broken", "no_such_module_here:X", registry.GROUP),
        EntryPoint("openai", f"{__name__}:Third", registry.GROUP),
    ]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [e for e in entries if e.group == group])


def test_the_built_in_names():
    assert {"openai", "anthropic", "vllm", "local", "scripted"} <= set(known())


def test_a_name_without_a_provider_offers_one():
    with pytest.raises(UsageError, match="Did you mean 'anthropic/claude-sonnet-4-5'"):
        create(ModelRef("claude-sonnet-4-5"))
    with pytest.raises(UsageError, match="provider/model"):
        create(ModelRef("mistral"))


@pytest.mark.parametrize("name", ["openai", "openai/"])
def test_a_provider_without_a_model(name):
    with pytest.raises(UsageError, match="names no model"):
        create(ModelRef(name))


def test_an_unknown_provider_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'anthropic'"):
        create(ModelRef("antropic/claude-x"))


def test_options_are_checked_by_name_and_type():
    with pytest.raises(UnknownNameError, match="Did you mean 'timeout_s'"):
        create(ModelRef("openai/m", {}, {"base_url": "http://h/v1", "timeout": 3}))
    with pytest.raises(UsageError, match="timeout_s: should be greater than 0"):
        create(ModelRef("openai/m", {}, {"base_url": "http://h/v1", "timeout_s": 0}))


def test_parameters_are_checked():
    with pytest.raises(UsageError, match="temperature"):
        create(ModelRef("openai/m", {"temperature": "hot"}, {"base_url": "http://h/v1"}))


def test_a_parameter_that_the_wire_cannot_carry_is_said_before_the_first_call():
    with pytest.raises(UsageError, match="anthropic does not take seed"):
        create(ModelRef("anthropic/m", {"seed": 1}, {"base_url": "http://h"}))


def test_what_may_be_stored_of_a_model_holds_no_credentials():
    ref = public(ModelRef("vllm/m@http://user:hunter22@h:1/v1?token=abcdef", {"seed": 1}))
    assert ref == ModelRef("vllm/m", {"seed": 1}, {"base_url": "http://h:1/v1"})
    assert public(ModelRef("openai/m")) == ModelRef("openai/m")


def test_no_secret_within_an_options_table_is_shown_and_the_alias_stays():
    ref = public(ModelRef("vllm/m", {}, {"draft": {"method": "ngram", "api_key": "hunter22"}}, "ngram"))
    assert (ref.options, ref.alias, ref.label) == ({"draft": {"method": "ngram"}}, "ngram", "vllm/m (ngram)")


def test_the_makers_own_hosts_need_a_key(monkeypatch):
    for name in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "OPENAI_BASE_URL",
        "ANTHROPIC_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        create(ModelRef("openai/gpt-4o"))
    with pytest.raises(MissingKeyError, match="ANTHROPIC_API_KEY"):
        create(ModelRef("anthropic/claude-x"))
    with pytest.raises(MissingKeyError, match="MY_KEY"):
        create(ModelRef("openai/gpt-4o", {}, {"base_url": "http://h/v1", "api_key_env": "MY_KEY"}))


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://h/v1", "http://", "http://h:99999/v1", "http://[::1/v1"])
def test_a_base_url_that_is_none(url):
    with pytest.raises(UsageError, match="is not a URL"):
        create(ModelRef("openai/m", {}, {"base_url": url}))


def test_a_url_in_the_models_name():
    provider = create(ModelRef("vllm/org/model@http://127.0.0.1:8000"))
    assert (provider.name, provider.model) == ("vllm", "org/model")
    assert provider.identity()["endpoint"] == "http://127.0.0.1:8000/v1"
    with pytest.raises(UsageError, match="given twice"):
        create(ModelRef("vllm/m@http://h:1", {}, {"base_url": "http://h:2"}))


def test_credentials_in_a_url_are_in_no_identity_and_no_repr():
    provider = create(ModelRef("vllm/m@https://user:hunter22@host/v1?api_key=abcdef12345&zone=eu"))
    assert provider.identity()["endpoint"] == "https://host/v1?zone=eu"
    assert "hunter22" not in repr(provider) and "abcdef12345" not in repr(provider)


def test_the_revision_is_part_of_the_identity():
    plain = create(ModelRef("vllm/m@http://h:1"))
    pinned = create(ModelRef("vllm/m@http://h:1", {}, {"revision": "abc"}))
    assert plain.identity() != pinned.identity()


def test_the_api_is_part_of_the_identity(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    chat = create(ModelRef("openai/m"))
    responses = create(ModelRef("openai/m", {}, {"api": "responses"}))
    assert chat.identity()["api"] != responses.identity()["api"]


def test_names_of_options():
    assert {"base_url", "timeout_s", "revision", "api_key_env", "api"} <= options_of("openai")
    with pytest.raises(UnknownNameError, match="Did you mean 'openai'"):
        options_of("opnai")


def test_options_that_are_a_text_or_its_file():
    (template,) = text_options("vllm").items()
    assert template[0] == "chat_template"
    assert template[1].is_text("{{ messages }}") and not template[1].is_text("templates/{size}.jinja")
    assert text_options("openai") == {}


def test_a_third_partys_provider(installed):
    provider = create(ModelRef("third/a/b", {}, {"x": 1}))
    assert (provider.model, provider.options) == ("a/b", {"x": 1})
    assert "third" in known()
    assert options_of("third") is None and text_options("third") == {}


def test_a_third_partys_provider_that_cannot_be_loaded_names_its_package(installed):
    with pytest.raises(ProviderError, match="no_such_module_here"):
        create(ModelRef("broken/m"))


def test_a_built_in_name_cannot_be_taken_over(installed):
    assert type(create(ModelRef("openai/m", {}, {"base_url": "http://h/v1"}))) is not Third


def test_no_sdk_is_imported_before_it_is_needed():
    code = (
        "import sys\n"
        "from llmkit.providers import registry, retry\n"
        "from llmkit.providers.base import ModelRef\n"
        "for ref in ('openai/m', 'anthropic/m'):\n"
        "    registry.create(ModelRef(ref, {}, {'base_url': 'http://127.0.0.1:1/v1'}))\n"
        "registry.create(ModelRef('openai/m', {}, {'base_url': 'http://127.0.0.1:1/v1', 'api': 'responses'}))\n"
        "heavy = {'openai', 'anthropic', 'httpx2', 'aiohttp', 'genai_prices', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


DISPLAYED = [
    ("openai/gpt-x", {}, "OPENAI_API_KEY", "Authorization"),
    ("openai/gpt-x", {"api": "responses"}, "OPENAI_API_KEY", "Authorization"),
    ("anthropic/claude-x", {}, "ANTHROPIC_API_KEY", "x-api-key"),
    ("vllm/m@http://127.0.0.1:9", {"api_key_env": "MY_KEY"}, "MY_KEY", "Authorization"),
]


@pytest.mark.parametrize(("name", "options", "variable", "header"), DISPLAYED)
async def test_one_for_display_shows_the_same_request_without_a_key_and_cannot_call(
    name, options, variable, header, monkeypatch
):
    for known_variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "MY_KEY"):
        monkeypatch.delenv(known_variable, raising=False)
    ref, request = ModelRef(name, {}, options), Request((Message("user", "hi"),), {"max_tokens": 3})
    with pytest.raises(MissingKeyError):
        create(ref)
    shown = create(ref, display=True)
    with pytest.raises(MissingKeyError, match=variable):
        await shown.__aenter__()
    monkeypatch.setenv(variable, "sk-verysecret")
    real = create(ref)
    assert shown.endpoint() == real.endpoint()
    assert f"${variable}" in shown.endpoint().headers[header]
    assert Keys(shown).key(request, Replicate()) == Keys(real).key(request, Replicate())


def test_another_packages_provider_is_built_for_display_as_for_calls(installed):
    assert create(ModelRef("third/m"), display=True).model == "m"
