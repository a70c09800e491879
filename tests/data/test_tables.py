import pytest

from maskray.data.tables import read_columns, read_list, read_table
from maskray.errors import InputError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.csv"


def test_spaces_blank_lines_and_byte_order_mark(path):
    path.write_bytes(b"\xef\xbb\xbfname, value \n a , 1\n\nb,2\n,\n")
    table = read_table(path, ["name", "value"])
    assert table.rows.to_dict("list") == {"name": ["a", "b"], "value": ["1", "2"]}


def test_text_stays_text(path):
    path.write_text("name\n007\nNA\n1e5\n")
    assert list(read_table(path, ["name"])["name"]) == ["007", "NA", "1e5"]


def test_line_numbers_count_blank_lines_and_line_breaks_in_cells(path):
    path.write_text('name,note\na,"one\ntwo"\n\nb,x\nc,y\n')
    table = read_table(path, ["name"])
    with pytest.raises(InputError, match=r"table.csv, line 6, column name: odd \(1 such row\(s\)\)"):
        table.refuse(table["name"] == "c", "name", "odd")
    with pytest.raises(InputError, match="line 2, column"):
        table.where(table["name"] != "b").refuse(table["name"] == "a", "name", "odd")


def test_rows_longer_than_the_header_lose_only_their_tail(path):
    path.write_text('name,"x,y"\na,1,2\nb,3,4\n')
    assert list(read_table(path, ["name"])["name"]) == ["a", "b"]
    assert read_columns(path, ["name", "x", "y"]).rows.loc[1].tolist() == ["b", "3", "4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the file is empty"),
        (b'name\n"a\n', "damaged or not a csv file"),
        (b"name\n\xff\xfe\n", "damaged or not a csv file"),
        (b"nome\na\n", "no column name"),
    ],
)
def test_damage_is_named(path, text, message):
    path.write_bytes(text)
    with pytest.raises(InputError, match=rf"table.csv: {message}"):
        read_table(path, ["name"])


def test_numbers_and_codes(path):
    path.write_text("n,label\n1.5,1.0\n2,-1\n3,\n")
    table = read_table(path, ["n", "label"])
    assert list(table.numbers("n")) == [1.5, 2, 3]
    assert table.label_codes(["label"])["label"].fillna(9).tolist() == [1, -1, 9]
    for bad in ("nan", "inf", "x", ""):
        path.write_text(f"n,label\n1,1\n{bad},2\n")
        table = read_table(path, ["n", "label"])
        with pytest.raises(InputError, match="line 3, column n: not a number"):
            table.numbers("n")
        with pytest.raises(InputError, match="line 3, column label: expected 1, 0, -1"):
            table.label_codes(["label"])


def test_lists(path):
    path.write_text("a \n\nb\n")
    assert list(read_list(path)) == ["a", "b"]
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"table.csv: cannot be read"):
        read_list(path)
