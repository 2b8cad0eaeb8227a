"""make outputs: what it renews in a notebook, and what it leaves."""
import nbformat
import needs
import outputs
import pytest

METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python", "version": "3.0.0"}}
STREAMS = """\
import sys, time
for name in ("stdout", "stdout", "stderr", "stderr", "stdout"):
    print(name, file=getattr(sys, name), flush=True)
    time.sleep(0.3)
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    return tmp_path


def write(book, *code, **metadata):
    cells = [nbformat.v4.new_markdown_cell("# Title"),
             *(nbformat.v4.new_code_cell(c, execution_count=7) for c in code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA | metadata),
                   book / "page.ipynb")


def read(book):
    return nbformat.read(book / "page.ipynb", 4)


def test_outputs_are_renewed_and_nothing_else(book):
    write(book, "x = 6", "print('σ')", "x * 7")
    before = read(book)
    assert outputs.main([], book) == 0
    after = read(book)
    one, two, three = after.cells[1:]
    assert [cell.execution_count for cell in (one, two, three)] == [1, 2, 3]
    assert one.outputs == [] and two.outputs[0].text == "σ\n"
    assert three.outputs[0].data["text/plain"] == "42"
    assert three.outputs[0].execution_count == 3
    for cell in before.cells[1:] + after.cells[1:]:
        cell.outputs, cell.execution_count = [], None
    assert after == before  # ids, sources and metadata: no times, and not this Python
    renewed = (book / "page.ipynb").read_bytes()
    assert outputs.main(["page.ipynb"], book) == 0
    assert (book / "page.ipynb").read_bytes() == renewed


def test_a_stream_that_came_in_pieces_is_stored_in_one(book):
    write(book, STREAMS)
    assert outputs.main(["page"], book) == 0
    assert [(output.name, output.text) for output in read(book).cells[1].outputs] == [
        ("stdout", "stdout\n" * 2), ("stderr", "stderr\n" * 2), ("stdout", "stdout\n")]


def test_results_stay_apart_from_streams(book):
    write(book, "print(1); display(2); print(3); print(4)")
    assert outputs.main([], book) == 0
    assert [output.output_type for output in read(book).cells[1].outputs] == [
        "stream", "display_data", "stream"]


def test_a_drawing_stays_as_stored_unless_it_looks_otherwise(book):
    drawing = '<svg><g clip-path="url(#p0123456789)"/><path d="M 1.234567 -2"/></svg>'
    for new, stays in ((drawing, True), (drawing.replace("1.234567", "1.234599"), True),
                       (drawing.replace("p0123456789", "pfedcba9876"), True),
                       (drawing.replace("1.234567", "1.25"), False),
                       (drawing.replace("-2", "2"), False),
                       (drawing.replace("path d", "path e"), False)):
        write(book, f"from IPython.display import SVG\nSVG('{new}')")
        notebook = read(book)
        notebook.cells[1].outputs = [nbformat.v4.new_output(
            "execute_result", {outputs.SVG: drawing}, execution_count=1)]
        nbformat.write(notebook, book / "page.ipynb")
        assert outputs.main([], book) == 0
        assert read(book).cells[1].outputs[0].data[outputs.SVG] == (
            drawing if stays else new)


def test_a_cell_that_fails_leaves_the_file_and_is_named(book, capsys):
    write(book, "print('new')", "1 / 0")
    before = (book / "page.ipynb").read_bytes()
    assert outputs.main([], book) == 1
    assert (book / "page.ipynb").read_bytes() == before
    assert "page, code cell 2: " in capsys.readouterr().err


def test_what_cannot_be_executed_here_is_left_with_the_reason(
        book, capsys, monkeypatch):
    monkeypatch.setitem(needs.NEEDS, "thing",
                        needs.Need("the thing", lambda: False, "Get one."))
    write(book, "print('new')", deepfm_tutorial={"needs": ["thing"]})
    before = (book / "page.ipynb").read_bytes()
    assert outputs.main([], book) == 0
    assert (book / "page.ipynb").read_bytes() == before
    assert ("page keeps its stored outputs. This machine does not have the thing. "
            "Get one." in capsys.readouterr().out)


def test_an_unknown_name_is_refused(book, capsys):
    write(book, "1")
    assert outputs.main(["pages"], book) == 2
    assert "pages is none of page" in capsys.readouterr().err
