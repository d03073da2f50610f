"""Which texts the model is asked about, and which vectors are kept."""

from collections.abc import Sequence

import numpy as np
import pytest

from llmkit.scoring.contextual import encoder as module
from llmkit.scoring.contextual.encoder import Encoder, Vectors


class Model:
    """Stands where the weights do: a token's vector is its id, then a three."""

    def __init__(self) -> None:
        self.batches: list[list[list[int]]] = []

    def __call__(self, batch: Sequence[Sequence[int]]) -> list[Vectors]:
        self.batches.append([list(each) for each in batch])
        return [np.array([[id_, 3.0] for id_ in each], np.float32) for each in batch]

    @property
    def asked(self) -> list[list[int]]:
        return [each for batch in self.batches for each in batch]


def test_vectors_have_length_one() -> None:
    vectors = Encoder(Model(), 100).encode({"a": [4, 0]})["a"]
    assert vectors.tolist() == pytest.approx(np.array([[0.8, 0.6], [0, 1]]))


def test_texts_of_like_length_are_one_batch() -> None:
    model = Model()
    Encoder(model, 6).encode({"long": [1] * 6, "a": [1, 2], "b": [3, 4, 5]})
    assert model.batches == [[[1, 2], [3, 4, 5]], [[1] * 6]]


def test_a_text_without_tokens_is_not_asked_about() -> None:
    model = Model()
    assert Encoder(model, 6).encode({"": []}) == {}
    assert model.batches == []


def test_references_are_encoded_once_and_answers_each_time() -> None:
    model = Model()
    encoder = Encoder(model, 100)
    for _ in range(2):
        encoder.encode({"answer": [1], "reference": [2, 3]}, keep={"reference"})
    assert sorted(model.asked) == [[1], [1], [2, 3]]


def test_what_is_kept_is_bounded_and_of_the_texts_that_come_in_a_circle_some_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_CACHE_BYTES", 40 * (8 + 2))
    model = Model()
    encoder = Encoder(model, 100)
    texts = {f"{number:02}": [number] for number in range(60)}
    for _ in range(3):
        for text, ids in texts.items():
            encoder.encode({text: ids}, keep=texts)
            assert encoder._bytes == sum(v.nbytes + len(t) for t, v in encoder._kept.items()) <= 400
            assert sorted(encoder._order) == sorted(encoder._kept)
    assert 60 + 2 * 20 <= len(model.asked) < 150
