"""The drawing of a row: each number stands where its feature's name says."""
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from deepfm_tutorial import figures

FEATURES, X = list("abcdef"), np.array([0, 1, 0, 1, 1, 0])
V = np.array([[1, 2], [3, 5], [7, 9], [11, 13], [17, 19], [23, 29]])
PICKED = [1, 3, 4]


@pytest.fixture
def texts():
    """Every text of the drawing by its position."""
    figure = figures.draw_row(FEATURES, X, V)
    yield {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    plt.close(figure)


def test_each_cell_of_x_stands_above_its_name(texts):
    y_of_names = next(y for (_, y), text in texts.items() if text == "a")
    for (x, y), text in texts.items():
        if y == y_of_names:
            above = min(other for at, other in texts if at == x and other > y)
            assert texts[x, above] == str(X[FEATURES.index(text)])
    assert sum(y == y_of_names for _, y in texts) == 6


def test_each_inner_product_stands_in_the_row_and_the_column_of_its_two_features(texts):
    heights = sorted({y for _, y in texts}, reverse=True)[-3:]  # one a picked row
    left, *middle = sorted({x for x, y in texts if y == heights[0]})
    column = {texts[x, heights[-1]]: x for x in middle[2:]}
    for i, y in zip(PICKED, heights):
        assert texts[left, y] == FEATURES[i]
        assert [texts[x, y] for x in middle[:2]] == [str(v) for v in V[i]]
    for (i, y), (j, _) in combinations(zip(PICKED, heights), 2):
        assert texts[column[FEATURES[j]], y] == str(V[i] @ V[j])


def test_texts_are_read_from_the_top_and_from_the_left():
    figure, axes = plt.subplots()
    for x, y, text in ((1, 0, "d"), (2, 5, "b"), (0, 5, "a"), (0, 0, "c")):
        axes.text(x, y, text)
    assert figures.read_texts(figure) == [["a", "b"], ["c", "d"]]
    plt.close(figure)
