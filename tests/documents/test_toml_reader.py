from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.documents import Document, read_toml
from llmkit.documents.toml_reader import _key_lines
from llmkit.errors import DocumentError


def read(folder: Path, text: str, table: tuple[str, ...] = ()) -> Document:
    (folder / "c.toml").write_text(text, encoding="utf-8")
    return read_toml(folder / "c.toml", table)


def fails(folder: Path, text: str, table: tuple[str, ...] = ()) -> str:
    with pytest.raises(DocumentError) as caught:
        read(folder, text, table)
    return str(caught.value).replace(str(folder) + "/", "")


EXAMPLE = '''# a comment = 1
model = "x"  # = [
long = """
key = 1
[table]
"""
"quoted key" = 1
a.b = [
  1, # ]
  2,
]
inline = { x = 1 }

[t]
k = 'a = b'
[t.u]
v = 1
[[many]]
n = 1
[[many]]
n = 2
[many.sub]
m = 3
'''


def test_every_key_has_its_line(tmp_path: Path) -> None:
    lines = read(tmp_path, EXAMPLE).lines
    assert lines == {
        (): 1, ("model",): 2, ("long",): 3, ("quoted key",): 7, ("a",): 8, ("a", "b"): 8, ("inline",): 12, ("t",): 14,
        ("t", "k"): 15, ("t", "u"): 16, ("t", "u", "v"): 17, ("many",): 18, ("many", 0): 18, ("many", 0, "n"): 19,
        ("many", 1): 20, ("many", 1, "n"): 21, ("many", 1, "sub"): 22, ("many", 1, "sub", "m"): 23,
    }  # fmt: skip


def test_one_table_becomes_the_document(tmp_path: Path) -> None:
    document = read(tmp_path, "[tool.other]\nx = 1\n[tool.llmkit]\nmodel = 'm'\n", ("tool", "llmkit"))
    assert document.data == {"model": "m"}
    assert document.where("model").endswith("c.toml:4")
    assert document.where().endswith("c.toml:3")


def test_an_absent_table_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "x = 1\n", ("tool", "llmkit")).data == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = word\n", "c.toml:2: not TOML: invalid value. Text stands in quotes"),
        ("a = 1\n[b\n", "c.toml:2: not TOML: "),
        ("a = 1\nb = [1,\n", "c.toml:2: not TOML: "),
        ("a = 1\na = 2\n", "c.toml:2: not TOML: cannot overwrite a value"),
        ("a = 1\nb = nan\n", "c.toml:2: not a finite number"),
        ("a = 1\nb = [1, -inf]\n", "c.toml:2: not a finite number"),
        ("a = 99999999999999999999\n", "c.toml:1: a whole number beyond 64 bits"),
        (f"a = {'9' * 5000}\n", "c.toml: not TOML: "),
        (f"a = {'[' * 5000}{']' * 5000}\n", "c.toml: nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert fails(tmp_path, text).startswith(message)


def test_a_value_where_the_table_should_be_is_told(tmp_path: Path) -> None:
    assert fails(tmp_path, "\ntool = 1\n", ("tool", "llmkit")) == "c.toml:2: tool is not a table"


@given(
    st.lists(
        st.sampled_from(["k{} = 1", "k{} = '''\na = 1\n'''", "# c {}", "", "[t{}]", "k{} = [\n1,\n]", 'k{} = "\\"#"'])
    )
)
def test_lines_agree_with_where_the_keys_were_written(pieces: list[str]) -> None:
    text, expected, line = "", {}, 1
    for index, piece in enumerate(pieces):
        written = piece.format(index)
        if written[:1] in ("k", "["):
            expected[written.split(" ")[0].strip("[]")] = line
        text += written + "\n"
        line += written.count("\n") + 1
    assert {keys[-1]: line for keys, line in _key_lines(text).items() if keys} == expected
