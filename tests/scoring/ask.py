"""Short ways to ask one scorer about one answer."""

from typing import Any

import numpy as np

from llmkit.scoring import Item, create
from llmkit.types import Failure, Score


def score(name: str, text: str, *references: str, row: dict[str, Any] | None = None, **options: Any) -> Score | Failure:
    (result,) = create(name, options).score([Item(text, references, row or {})])
    return result


def value(name: str, text: str, *references: str, **options: Any) -> float:
    result = score(name, text, *references, **options)
    assert isinstance(result, Score), result
    return result.value


def fault(name: str, text: str, *references: str, **options: Any) -> str:
    result = score(name, text, *references, **options)
    assert isinstance(result, Failure), result
    assert result.stage == "scorer"
    assert "\n" not in result.message
    return result.kind


def corpus(name: str, pairs: list[tuple[str, tuple[str, ...]]], **options: Any) -> float:
    """The corpus figure: a function of the summed statistics."""
    scorer = create(name, options)
    scores = scorer.score([Item(text, references) for text, references in pairs])
    assert all(isinstance(each, Score) for each in scores), scores
    return float(scorer.corpus_value(np.sum([each.stats for each in scores], axis=0)))
