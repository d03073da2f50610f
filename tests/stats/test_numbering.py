"""Names as numbers."""

from llmkit.stats.numbering import numbered


def test_equal_names_have_equal_numbers_by_first_sight():
    assert numbered(["b", "a", "b", ("id", 1), None]).tolist() == [0, 1, 0, 2, 3]
    assert numbered([]).shape == (0,)
