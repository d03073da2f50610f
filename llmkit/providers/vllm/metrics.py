"""What vLLM counts of its speculative decoding, out of the metrics that it shows to Prometheus.

Source: vLLM's ``vllm/v1/spec_decode/metrics.py``; the text is Prometheus' "Text-based format", in which a
counter's samples end in ``_total``.
"""

from __future__ import annotations

import re

from llmkit.speculation import Speculation

_SAMPLE = re.compile(
    r"^vllm:spec_decode_num_(drafts|draft_tokens|accepted_tokens|accepted_tokens_per_pos)(?:_total)?"
    r"(?:\{((?:[^\"}\n]|\"(?:[^\"\\\n]|\\.)*+\")*+)\})?"
    r" (\d{1,18}(?:\.\d{1,18})?(?:e[+-]?\d{1,2})?)(?: -?\d{1,18})?\r?$",
    re.MULTILINE | re.ASCII,
)
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\.)*+)"', re.ASCII)
_PLACE = re.compile(r"\d{1,3}", re.ASCII)


def speculation(text: str, model: str | None = None) -> Speculation | None:
    """Return the counts, summed over all engines behind one address; None where nothing of them is told.

    Args:
        text: As ``/metrics`` answers; untrusted.
        model: Whose counts to take where several models are told of. A model under another name than the engine's
            own (an adapter, a second name) is told of under the engine's: where none has the name, all count.
    """
    samples = [(name, dict(_LABEL.findall(labels)), value) for name, labels, value in _SAMPLE.findall(text)]
    own = [sample for sample in samples if sample[1].get("model_name") == model]
    counts: dict[str, int] = {}
    places: dict[int, int] = {}
    for name, labels, value in own or samples:
        number, place = int(float(value)), labels.get("position", "")
        if name != "accepted_tokens_per_pos":
            counts[name] = counts.get(name, 0) + number
        elif _PLACE.fullmatch(place):
            places[int(place)] = places.get(int(place), 0) + number
    if not counts.keys() >= {"drafts", "draft_tokens", "accepted_tokens"}:
        return None
    by_position = tuple(places.get(place, 0) for place in range(max(places, default=-1) + 1))
    return Speculation(counts["drafts"], counts["draft_tokens"], counts["accepted_tokens"], by_position)
