"""Baselines: files in bert-score's form, and the formula."""

from pathlib import Path

import numpy as np
import pytest

from llmkit.errors import DocumentError, UsageError
from llmkit.scoring.contextual import rescale
from llmkit.scoring.contextual.rescale import Baseline, published, read_baseline

FILE = "LAYER,P,R,F\n0,0.25,0.5,0.2\n1,0.75,0.5,0.6\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.tsv"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_layers_row_is_read(path: Path) -> None:
    assert read_baseline(path, 1) == Baseline(0.75, 0.5, 0.6)


def test_the_baseline_becomes_zero_and_one_stays_one() -> None:
    figures = np.array([[0.75, 0.5, 0.6], [1, 1, 1], [0.875, 0.75, 0.8]])
    expected = [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5]]
    assert Baseline(0.75, 0.5, 0.6).rescale(figures) == pytest.approx(np.array(expected))


def test_below_the_baseline_is_below_zero() -> None:
    assert Baseline(0.75, 0.5, 0.6).rescale(np.zeros(3)) == pytest.approx(np.array([-3, -1, -1.5]))


def test_other_figures_have_another_digest() -> None:
    assert Baseline(0.75, 0.5, 0.6).digest != Baseline(0.75, 0.5, 0.61).digest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "model.tsv:1: a baseline begins with LAYER,P,R,F, not 'nothing'"),
        ("LAYER\tP\tR\tF\n", "model.tsv:1: a baseline begins with LAYER,P,R,F"),
        ("LAYER,P,R,F\n0,.1,.2,.3\nx,.1,.2,.3\n", "model.tsv:3: 'x,.1,.2,.3' is no row of LAYER,P,R,F"),
        ("LAYER,P,R,F\n1,.1,.2\n", "model.tsv:2: a row has three figures below 1 after its layer"),
        ("LAYER,P,R,F\n1,.1,.2,nan\n", "model.tsv:2: a row has three figures below 1"),
        ("LAYER,P,R,F\n1,.1,.2,1\n", "model.tsv:2: a row has three figures below 1"),
        ("LAYER,P,R,F\n0,.1,.2,.3\n", "model.tsv: no baseline of layer 1: it has layers 0 to 0"),
        ("LAYER,P,R,F\n", "model.tsv: no baseline of layer 1: it has none"),
    ],
)
def test_a_file_that_is_no_baseline_is_one_line(path: Path, content: str, said: str) -> None:
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_baseline(path, 1)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_names_the_nearest(path: Path) -> None:
    with pytest.raises(DocumentError, match=r"s.yaml:7: no baseline file .*modle.tsv.*model.tsv"):
        read_baseline(path.with_name("modle.tsv"), 1, "s.yaml:7")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of bert-score's layout; importing it is an error."""
    folder = tmp_path / "site" / "a_bert_score"
    for language in ("en", "de"):
        (folder / "rescale_baseline" / language / "owner").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('imported')")
    (folder / "rescale_baseline" / "en" / "owner" / "model.tsv").write_text(FILE)
    (folder / "secret.tsv").write_text(FILE)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(rescale, "PACKAGE", "a_bert_score")
    return folder


def test_a_published_baseline_is_read_from_the_installed_package(package: Path) -> None:
    assert read_baseline(published("owner/model", "en"), 1) == Baseline(0.75, 0.5, 0.6)


def test_a_baseline_that_is_not_published_names_the_languages_that_are(package: Path) -> None:
    with pytest.raises(UsageError, match=r"no baseline of owner/model for the language 'de'. It has one for en"):
        published("owner/model", "de")
    with pytest.raises(UsageError, match=r"no baseline of other. *|Name a file of your own"):
        published("other", "en")


def test_no_name_leads_out_of_the_package(package: Path) -> None:
    with pytest.raises(UsageError, match="publishes no baseline"):
        published("../../secret", "en")


def test_without_the_package_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescale, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(UsageError, match=r"pip install --no-deps bert-score, or name a file: rescale: FILE.tsv"):
        published("roberta-large", "en")
