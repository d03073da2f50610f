"""The order in which a gate asks: random, the same on both sides, clusters whole."""

from hypothesis import given
from hypothesis import strategies as st

from llmkit.gate.order import shuffled
from llmkit.types import BadRow, Sample


def sample(id_, index=0, cluster=None):
    return Sample(id=id_, index=index, row={}, cluster=cluster)


def names(units):
    return [unit.name for unit in units.units]


def test_a_sorted_data_set_is_asked_in_another_order():
    rows = [sample(f"{n:03}", n) for n in range(100)]
    assert sorted(names(shuffled(rows, 0))) == [f"sample {n:03}" for n in range(100)] != names(shuffled(rows, 0))


def test_the_order_depends_on_the_seed():
    rows = [sample(str(n), n) for n in range(50)]
    assert names(shuffled(rows, 0)) != names(shuffled(rows, 1))


@given(st.permutations(range(30)))
def test_the_order_does_not_depend_on_the_order_of_the_rows(order):
    rows = [sample(str(n), n) for n in order]
    assert names(shuffled(rows, 7)) == names(shuffled([sample(str(n), n) for n in range(30)], 7))


@given(st.sets(st.integers(0, 1000), min_size=2, max_size=30))
def test_a_row_that_is_added_moves_no_other(ids):
    *most, last = sorted(ids)
    before = names(shuffled([sample(str(n)) for n in most], 3))
    after = names(shuffled([sample(str(n)) for n in (*most, last)], 3))
    assert [name for name in after if name != f"sample {last}"] == before


def test_a_cluster_is_one_unit():
    rows = [sample("a", 0, "x"), sample("b", 1, "y"), sample("c", 2, "x"), sample("d", 3)]
    found = shuffled(rows, 0)
    assert found.clustered
    assert found.noun == "clusters"
    assert {unit.name: [s.id for s in unit.samples] for unit in found.units} == {
        "cluster x": ["a", "c"],
        "cluster y": ["b"],
        "sample d": ["d"],
    }


def test_a_sample_is_no_cluster_of_its_name():
    found = shuffled([sample("x", 0), sample("b", 1, "x")], 0)
    assert len(found.units) == 2


def test_rows_that_cannot_be_asked_are_kept_apart():
    bad = BadRow(1, "no question", "rows.jsonl:2")
    found = shuffled([sample("a"), bad], 0)
    assert found.bad == (bad,)
    assert names(found) == ["sample a"]
