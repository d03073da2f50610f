"""Files of ``llmkit runs export`` are compared as the runs that they hold; broken ones are refused by line."""

import gzip
import json
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import parquet

from llmkit.errors import DataError, UsageError
from llmkit.paired.compare import compare
from llmkit.paired.exported import ExportedRun
from llmkit.runs.export import write
from llmkit.runs.store import Store

NEW = ("stats", "signatures", "setup")


@pytest.fixture
async def files(asked, project):
    """Export both runs in both forms; returns the paths by run and form."""
    found = {}
    for model in ("good", "bad"):
        run = (await asked(model)).run_id
        for form in ("jsonl", "parquet"):
            path = project.folder / f"{model}.export.{form}"
            with Store(project.store, read_only=True) as store:
                write(store, store.run(run), path, form)
            found[model, form] = str(path)
        found[model] = run
    return found


def edited(path, change):
    """Write a file's records anew, each changed in place."""
    with open(path) as stream:
        records = [json.loads(line) for line in stream]
    for number, record in enumerate(records):
        change(number, record)
    with open(path, "w") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)
    return path


def unnamed(comparison):
    """Leave out what a file cannot know or is called otherwise."""
    sides = {side: replace(getattr(comparison, side), name="", stored=True) for side in ("a", "b")}
    return replace(comparison, **sides)


@pytest.mark.parametrize("forms", [("jsonl", "jsonl"), ("parquet", "parquet"), ("jsonl", "parquet")])
def test_two_files_compare_as_the_stored_runs_do(files, project, forms):
    stored = compare(files["good"], files["bad"])
    (project.store / "store.sqlite3").unlink()  # files need no store
    found = compare(files["good", forms[0]], files["bad", forms[1]])
    assert (found.a.stored, found.b.stored) == (False, False)
    assert unnamed(found) == unnamed(stored)
    assert found.metrics["bleu"].difference is not None


def test_a_file_compares_with_a_stored_run(files):
    found = compare(files["good", "jsonl"], files["bad"])
    assert (found.a.stored, found.b.stored) == (False, True)
    assert unnamed(found) == unnamed(compare(files["good"], files["bad"]))


def test_sides_of_one_gate_are_told_that_it_may_have_stopped_early(files):
    def side_of(gate):
        return lambda number, record: record["setup"].update(gate=gate)

    one, two = (edited(files[model, "jsonl"], side_of("g1")) for model in ("good", "bad"))
    note = "both are sides of one gate, which may have stopped early; the gate's own intervals account for that"
    assert note in compare(one, two).notes
    assert note not in compare(one, edited(two, side_of("g2"))).notes


def test_a_packed_file_is_read(files, project):
    path = project.folder / "good.jsonl.gz"
    with open(files["good", "jsonl"], "rb") as stream:
        path.write_bytes(gzip.compress(stream.read()))
    assert compare(str(path), files["bad"]).pairs == 12


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_an_older_file_says_too_little_and_is_compared_only_when_forced(files, form):
    path = files["good", form]
    if form == "jsonl":
        edited(path, lambda number, record: [record.pop(name) for name in NEW])
    else:
        parquet.write_table(parquet.read_table(path).drop_columns(list(NEW)), path)
    with pytest.raises(UsageError, match=r"data: unknown in .*signatures: unknown in .*--force"):
        compare(path, files["bad"])
    found = compare(path, files["bad"], force=True)
    assert [line.partition(":")[0] for line in found.forced] == ["data", "signatures"]
    assert (
        found.metrics["exact_match"].difference
        == compare(files["good"], files["bad"]).metrics["exact_match"].difference
    )
    assert found.metrics["bleu"].difference is None
    assert "not exported" in (found.metrics["bleu"].unknown or "")
    assert found.metrics["bleu"].signature_a == "unknown"
    assert found.a.status is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.pop("id"), "it lacks 'id'"),
        (lambda r: r.pop("scores"), "it lacks 'scores'"),
        (lambda r: r.update(epoch="one"), "epoch: Input should be a valid integer"),
        (lambda r: r.update(scores={"exact_match": "high"}), "scores.exact_match: Input should be a valid number"),
        (lambda r: r.update(stats={"bleu": ["x"]}), "stats.bleu.0: Input should be a valid number"),
        (lambda r: r.update(setup={"status": "done"}), "setup.status: "),
        (lambda r: r.update(run_id="other"), "a sample of run other after those of run "),
        (lambda r: r.update(signatures={}), "a sample of run "),
        (lambda r: r.update(id="s00"), "the sample 's00' stands twice in epoch 1"),
        (lambda r: r.update(stats={"bleu": [1.0]}), "holds 1 statistics where others hold 10"),
    ],
)
def test_a_line_that_is_no_sample_is_named(files, change, said):
    path = edited(files["good", "jsonl"], lambda number, record: change(record) if number == 4 else None)
    with pytest.raises(DataError) as caught:
        compare(path, files["bad"])
    assert str(caught.value).startswith(f"{path}:5: ")
    assert said in str(caught.value)


def test_a_line_that_is_no_json_is_named(files):
    path = files["good", "jsonl"]
    with open(path, "a") as stream:
        stream.write('{"id": \n')
    with pytest.raises(DataError, match=rf"{path}:13: not JSON"):
        compare(path, files["bad"])


def test_a_parquet_field_that_is_no_json_text_is_named(files):
    path = files["good", "parquet"]
    table = parquet.read_table(path)
    parquet.write_table(table.set_column(table.schema.get_field_index("scores"), "scores", pa.array(["{"] * 12)), path)
    with pytest.raises(DataError, match=rf"{path}:1: is no exported sample: scores is not JSON text"):
        compare(path, files["bad"])


def test_an_empty_file_is_refused(project):
    (project.folder / "none.jsonl").write_text("")
    with pytest.raises(DataError, match=r"none\.jsonl: the file holds no samples"):
        _ = ExportedRun("none.jsonl").setup


def test_a_missing_file_and_one_of_another_kind_are_refused(project):
    with pytest.raises(UsageError, match=r"no file 'no\.jsonl'"):
        ExportedRun("no.jsonl")
    (project.folder / "x.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match=r"'\./x\.csv' is no export of a run"):
        compare("./x.csv", "./x.csv")
