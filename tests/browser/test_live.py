"""The live figures against MXNet, handled as a reader would: by their controls."""
import base64
import json
import re
from itertools import product

import numpy as np
import pytest
from mxnet import nd
from scipy.special import expit

from deepfm_tutorial import FM, DeepFM
from deepfm_tutorial.datasets.click_log import BIAS, planted_effects

ROW_PAGES = {"notebooks/02_factorization_machines": "#fig-row",
             "notebooks/03_embedding_is_a_factor_row": "#fig-row-embeddings"}


def text_of(figure, name):
    return figure.locator(f"output[data-name={name}]").inner_text()


def shown(figure, name):
    return float(text_of(figure, name).replace("−", "-").replace("%", ""))


@pytest.mark.parametrize("name, selector", ROW_PAGES.items())
def test_a_row_through_the_fm_is_mxnets_fm(open_page, name, selector):
    page, seen = open_page(name)
    figure = page.locator(selector)
    # The chapter's toy, as the chapter has it, in the order of its features.
    model = FM((2, 2, 2), 2)
    model.initialize()
    model.first_order.bias.set_data(nd.array([-1]))
    model.first_order.weights.set_data(nd.array([0, 0.5, 0, 0.25, 0.5, 0]))
    model.embedding.factors.set_data(
        nd.array([[1, 0], [0, 2], [1, 1], [2, 1], [-1, 1], [3, 0]]))
    for chosen in product(range(2), repeat=3):
        for select, index in zip(
                figure.locator(".live-controls").nth(1).locator("select").all(),
                chosen):
            select.select_option(index=index)
        expected = (
            model(nd.array([np.add(chosen, (0, 2, 4))], dtype="int32")).asscalar())
        for form in ("the definition", "the fast form"):
            figure.locator("select[data-name=form]").select_option(form)
            assert abs(shown(figure, "logit") - expected) < 1e-5
    assert not seen["errors"]


def test_both_forms_agree_and_their_work_is_counted_as_fields_are_added(open_page):
    page, _ = open_page("notebooks/02_factorization_machines")
    figure = page.locator("#fig-row")
    for fields in range(2, 7):
        figure.locator("select[data-name=fields]").select_option(str(fields))
        sums = []
        for form in ("the definition", "the fast form"):
            figure.locator("select[data-name=form]").select_option(form)
            pairs = figure.locator(".live-result p").first.inner_text()
            sums.append(re.search(r"= (\S+)$", pairs)[1])
        assert sums[0] == sums[1]
        assert shown(figure, "definition") == 2 * fields * (fields - 1) / 2
        assert shown(figure, "fast") == 2 * fields + 2 + 1


@pytest.fixture(scope="module")
def live(open_page):
    """The page, its figure, and MXNet's DeepFM with the numbers that it carries."""
    page, _ = open_page("notebooks/10_looking_inside")
    numbers = json.loads(page.locator("#deepfm-live").text_content())
    sizes = [len(field["categories"]) for field in numbers["fields"]]
    layers = [{name: unpack(part) for name, part in layer.items()}
              for layer in numbers["layers"]]
    model = DeepFM(sizes, numbers["k"],
                   [len(layer["bias"]) for layer in layers[:-1]], dropout=0)
    model.initialize()
    model.first_order.bias.set_data(nd.array([numbers["bias"]]))
    model.first_order.weights.set_data(nd.array(unpack(numbers["weights"])))
    model.embedding.factors.set_data(
        nd.array(unpack(numbers["factors"]).reshape(sum(sizes), -1)))
    dense = [layer for layer in [*model.mlp.layers, model.mlp.output]
             if hasattr(layer, "weight")]
    for layer, values in zip(dense, layers, strict=True):
        layer.weight.set_data(nd.array(values["weight"].reshape(layer.weight.shape)))
        layer.bias.set_data(nd.array(values["bias"]))
    return page, page.locator("#fig-parts"), numbers, model


def unpack(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_live_deepfm_is_mxnets_deepfm_and_the_planted_formula(live):
    page, figure, numbers, model = live
    names = [field["name"] for field in numbers["fields"]]
    sizes = np.array([len(field["categories"]) for field in numbers["fields"]])
    offsets = np.cumsum(sizes) - sizes
    for row in np.random.default_rng(0).integers(0, sizes, size=(25, len(sizes))):
        for name, category in zip(names, row):
            figure.locator(f"select[data-name={name}]").select_option(
                index=int(category))
        ids = nd.array([row + offsets], dtype="int32")
        z = model(ids).asscalar()
        assert abs(shown(figure, "logit") - z) < 1e-5
        assert abs(shown(figure, "probability") - 100 * expit(z)) < 0.051
        figure.locator("details").evaluate("details => { details.open = true }")
        terms = [float(cell.replace("−", "-"))
                 for cell in figure.locator("tbody td").all_inner_texts()]
        # Each is rounded to six digits.
        assert len(terms) == 38 and abs(sum(terms) - z) < 1e-4
        E = model.embedding(ids).asnumpy()[0]
        np.testing.assert_allclose(terms[9:37],
                                   (E @ E.T)[np.triu_indices(8, 1)], atol=1e-5)
        assert abs(terms[37] - model.mlp(model.embedding(ids)).asscalar()) < 1e-5
        true_z = BIAS + sum(table[tuple(row[names.index(f)] for f in fields)]
                            for fields, table in planted_effects().items())
        assert abs(shown(figure, "truth") - 100 * expit(true_z)) < 0.051


def test_live_figures_work_by_keyboard_and_say_what_changed(live):
    page, figure, *_ = live
    status = figure.locator("[role=status]")
    assert (figure.locator("select").count()
            == figure.get_by_role("combobox").count() == 8)
    select = figure.get_by_role("combobox", name="device")
    select.focus()
    select.select_option(index=0)
    before = status.inner_text()
    page.keyboard.press("ArrowDown")
    assert (select.evaluate("select => select.selectedIndex") == 1
            and status.inner_text() != before)
    figure.get_by_role("button").focus()
    before = status.inner_text()
    page.keyboard.press("Enter")
    assert status.inner_text() != before
