"""What nbval cannot see: that chapters store clean output, exempting what draws."""
import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from deepfm_tutorial import figures

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(path):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_cell_ran_in_order_and_left_clean_output(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            assert output.output_type != "error" and output.get("name") != "stderr"
            assert not re.search(r"/(home|root|tmp|Users)/| at 0x[0-9a-f]+|Warning",
                                 text), text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_only_figures_are_exempt_and_each_has_an_assertion_beside_it(path):
    cells = code_cells(path)
    for position, cell in enumerate(cells):
        shows = [output.get("data", {}) for output in cell.outputs]
        draws = any("image/svg+xml" in data for data in shows)
        # A trained model.
        is_live = any("<script" in data.get("text/html", "") for data in shows)
        exempt = "nbval-ignore-output" in cell.metadata.get("tags", [])
        assert exempt == (draws or is_live), cell.source
        if is_live:
            assert "assert" in cell.source
        if draws:
            shown = cell.metadata["mystnb"]
            assert (shown["image"]["alt"] and shown["figure"]["caption"]
                    and shown["figure"]["name"])
            beside = cells[max(0, position - 1):position + 2]
            assert any("assert" in near.source for near in beside), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_line_of_code_is_wider_than_the_page(path):
    lines = [line for cell in code_cells(path) for line in cell.source.splitlines()]
    assert len(lines) > 10 and [line for line in lines if len(line) > 88] == []


def drawing(path):
    """The file without its clip paths' names, which follow how NumPy shows numbers."""
    text = path.read_text("utf-8")
    names = list(dict.fromkeys(re.findall(r'<clipPath id="(\w+)"', text)))
    assert names
    return re.sub("|".join(names), lambda name: f"clip{names.index(name.group())}",
                  text)


def test_the_front_pages_picture_is_what_the_code_draws(tmp_path):
    figures.use_style()
    figures.draw_deepfm().savefig(tmp_path / "deepfm.svg", metadata={"Date": None})
    plt.close("all")
    assert drawing(tmp_path / "deepfm.svg") == drawing(ROOT / "book/_static/deepfm.svg")
