"""Chapter 6's runs: what sharing the table is worth, and who learns a product.

`python -m studies.deepfm_claims` makes both tables. A part is made alone by its name:
`python -m studies.deepfm_claims products`. Every run tries all of `SETTINGS` and keeps
what scores best on its validation rows, so that no model owes its place to them.

deepfm_claims_tables    a row a run on the click log: tables, seed, settings, test AUC
                        and log loss. `shared` is DeepFM, `separate` gives the FM half
                        and the DNN half a table each. A seed draws all rows and the
                        model's start.
deepfm_claims_products  a row a run: factors k, training rows, model, seed, settings
                        and `found`, see `Product`. A seed draws the world, its rows and
                        the model's start.
"""
import sys
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import expit

from deepfm_tutorial import DNN, FM, DeepFM, FieldEncoder, evaluate, fit, predict
from deepfm_tutorial.datasets import click_log, make_click_log
from deepfm_tutorial.embeddings import FieldBlock

from . import comparison, study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(),
                                Path(click_log.__file__).read_bytes())
ROWS = (20_000, 20_000, 40_000)  # of the click log: training, validation, test
TABLES, TABLE_SEEDS = ("shared", "separate"), range(8)
FEATURES, SPREAD = 50, 2.0  # of each of two fields; of the true logits
FACTORS, NUM_ROWS, PRODUCT_SEEDS = (2, 8), (2_000, 8_000, 32_000), range(4)
PRODUCT_MODELS = ("FM", "DNN", "DeepFM")
STEPS = 16  # an epoch, whatever the rows, so that all have as many steps
TRAINING = {"epochs": 80, "patience": 10}  # with 5, some end before any pair is found
SETTINGS = [{"learning_rate": rate, "embedding_l2": penalty}
            for rate in (5e-3, 2e-2) for penalty in (0.01, 0.1)]
UNITS = (64, 64)


class TwoTables(FieldBlock):
    """An FM and a DNN that are added up: DeepFM, but for a table of its own in each."""

    def __init__(self, field_sizes, num_factors, hidden_units, dropout):
        super().__init__(field_sizes, num_factors=num_factors,
                         hidden_units=hidden_units, dropout=dropout)
        self.fm = FM(field_sizes, num_factors)
        self.dnn = DNN(field_sizes, num_factors, hidden_units, dropout)

    def hybrid_forward(self, F, ids, values=None):
        return self.fm(ids, values) + self.dnn(ids, values)


def with_tables(tables, field_sizes, k=8):
    """The model of that name: see the table `deepfm_claims_tables`."""
    kind = DeepFM if tables == "shared" else TwoTables
    return kind(field_sizes, k, UNITS, 0.0)


def load(seed):
    """The click log's field sizes, and its three parts, each `(ids, labels)`."""
    logs = [make_click_log(rows, 3 * seed + i) for i, rows in enumerate(ROWS)]
    encoder = FieldEncoder().fit(logs[0].columns)
    return encoder.field_sizes, [(encoder.transform(log.columns), log.labels)
                                 for log in logs]


def best_of(build, train, validation, **training):
    """The model that is best on the validation rows, of all `SETTINGS`, and which."""
    found = []
    for settings in SETTINGS:
        model = build()
        fit(model, train, validation, progress=False, **TRAINING | settings | training)
        found.append((evaluate(model, validation).auc, model, settings))
    return max(found, key=lambda one: one[0])[1:]


def tables():
    """DeepFM with one table and with two."""
    return study.in_parallel(table_run, product(TABLES, TABLE_SEEDS))


def table_run(name, seed):
    """Train one form on one draw of the log: its row of the table."""
    field_sizes, (*parts, test) = load(seed)
    model, settings = best_of(lambda: with_tables(name, field_sizes), *parts,
                              batch_size=1024, seed=seed)
    return {"tables": name, "seed": seed, **settings,
            **evaluate(model, test)._asdict()}


class Product:
    """Two fields, clicked by the inner product of planted factor rows, without more.

    Attributes:
        cells: the ids of all pairs of features, (FEATURES², 2).
        p: the true probability of each.

    Args:
        k: how many factors a planted row has. The true logits' standard deviation is
            `SPREAD` on average, whatever k.
        seed: of the planted rows, and of all rows that are drawn.
    """

    def __init__(self, k, seed):
        self.rng = np.random.default_rng(seed)
        scale = (SPREAD ** 2 / k) ** 0.25
        of_user, of_item = self.rng.normal(scale=scale, size=(2, FEATURES, k))
        self.cells = np.array(list(np.ndindex(FEATURES, FEATURES))) + [0, FEATURES]
        self.p = expit(of_user @ of_item.T).ravel()

    def draw(self, num_rows):
        """Rows of cells that are all equally frequent, as `(ids, labels)`."""
        chosen = self.rng.integers(len(self.cells), size=num_rows)
        clicked = self.rng.random(num_rows) < self.p[chosen]
        return self.cells[chosen], clicked.astype(np.float32)

    def found(self, model):
        """How far the model has come from a coin toss (0) to the true p (1), in AUC.

        It is the expected AUC over all cells, so no click is drawn for it.
        """
        reached, possible = (comparison.auc(self.p, p)
                             for p in (predict(model, self.cells), self.p))
        return (reached - 0.5) / (possible - 0.5)


def products():
    """FM, DNN and DeepFM where nothing but a product decides."""
    return study.in_parallel(product_run, product(FACTORS, NUM_ROWS, PRODUCT_MODELS,
                                                  PRODUCT_SEEDS))


def product_run(k, num_rows, name, seed):
    """Train one model on one draw: its row of the table."""
    world = Product(k, seed)
    model, settings = best_of(
        lambda: study.build(name, (FEATURES, FEATURES), k, UNITS), world.draw(num_rows),
        world.draw(num_rows // 4), batch_size=num_rows // STEPS, seed=seed)
    return {"factors": k, "rows": num_rows, "model": name, "seed": seed, **settings,
            "found": world.found(model)}


if __name__ == "__main__":
    parts = {part.__name__: part for part in (tables, products)}
    for name in sys.argv[1:] or parts:
        study.write(f"deepfm_claims_{name}", parts[name](), FINGERPRINT)
