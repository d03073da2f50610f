"""What vLLM counts of its speculative decoding, out of the metrics that it shows to Prometheus.

Source: vLLM's ``vllm/v1/spec_decode/metrics.py``; the text is Prometheus' "Text-based format", in which a
counter's samples end in ``_total``.
"""

from __future__ import annotations

import re

from llmkit.speculation import Speculation

_SAMPLE = re.compile(
    r"^vllm:spec_decode_num_(drafts|draft_tokens|accepted_tokens|accepted_tokens_per_pos)(?:_total)?"
    r"(?:\{([^}\n]{0,2000})\})? (\d{1,18}(?:\.\d{1,18})?(?:e[+-]?\d{1,2})?)(?: -?\d{1,18})?\r?$",
    re.MULTILINE | re.ASCII,
)
_POSITION = re.compile(r'(?:^|,)\s*position="(\d{1,3})"', re.ASCII)


def speculation(text: str) -> Speculation | None:
    """Return the counts, summed over all engines behind one address; None where nothing of them is told.

    Args:
        text: As ``/metrics`` answers; untrusted.
    """
    counts: dict[str, int] = {}
    places: dict[int, int] = {}
    for name, labels, value in _SAMPLE.findall(text):
        number = int(float(value))
        if name != "accepted_tokens_per_pos":
            counts[name] = counts.get(name, 0) + number
        elif found := _POSITION.search(labels):
            places[int(found[1])] = places.get(int(found[1]), 0) + number
    if not counts.keys() >= {"drafts", "draft_tokens", "accepted_tokens"}:
        return None
    by_position = tuple(places.get(place, 0) for place in range(max(places, default=-1) + 1))
    return Speculation(counts["drafts"], counts["draft_tokens"], counts["accepted_tokens"], by_position)
