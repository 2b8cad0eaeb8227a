"""Chapter 6's runs: what sharing the table is worth, and who learns a product.

`python -m studies.deepfm_claims` makes both tables on one core, in at most ten minutes.
Each is headed by a fingerprint of the study's source and of the data. A part is made
alone by its name: `python -m studies.deepfm_claims products`.

deepfm_claims_tables    a row a run: data, tables, seed, best epoch, test AUC and log
                        loss. `shared` is DeepFM, `separate` gives the FM half and the
                        DNN half a table each with k factors, `halves` one each with
                        k / 2, so that there are as many factors as in the shared one. A
                        seed draws the rows (of the click log) or the split (of the
                        coupons, by respondent), and the model's start.
deepfm_claims_products  a row a run: factors k, training rows, model, seed, best epoch
                        and `found`, see `Product`. A seed draws the world, its rows and
                        the model's start.
"""
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import expit

from deepfm_tutorial import DNN, FM, DeepFM, FieldEncoder, fit, predict
from deepfm_tutorial.datasets import click_log, coupons, load_coupons, make_click_log
from deepfm_tutorial.datasets import split_by
from deepfm_tutorial.embeddings import FieldBlock

from . import study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(),
                                Path(click_log.__file__).read_bytes(),
                                coupons.SHA256.encode())
# How many rows of the click log train, validate and test.
ROWS = (20_000, 20_000, 50_000)
TABLES, TABLE_SEEDS = ("shared", "separate", "halves"), range(10)
# k, the units of each of two layers, dropout and the settings of `fit`.
SHAPES = {"click log": (8, 64, 0.0, {"batch_size": 512, "learning_rate": 3e-3}),
          "coupons": (8, 64, 0.5, {"batch_size": 512, "learning_rate": 5e-3,
                                   "embedding_l2": 0.3})}
FEATURES, SPREAD = 100, 2.0  # of each of two fields, and of the true logits
FACTORS, NUM_ROWS, PRODUCT_SEEDS = (2, 8), (5_000, 20_000, 80_000), range(5)
# Name → kind of model, and the units of each of its two layers.
MODELS = {"FM": ("FM", 0), "DNN": ("DNN", 64), "wide DNN": ("DNN", 256),
          "DeepFM": ("DeepFM", 64)}
LEARNING_RATE, BATCH, PENALTY = 1e-2, 1024, 0.01


class TwoTables(FieldBlock):
    """An FM and a DNN that are added up: DeepFM, but for a table of its own in each."""

    def __init__(self, field_sizes, num_factors, hidden_units, dropout):
        super().__init__(field_sizes, num_factors=num_factors,
                         hidden_units=hidden_units, dropout=dropout)
        self.fm = FM(field_sizes, num_factors)
        self.dnn = DNN(field_sizes, num_factors, hidden_units, dropout)

    def hybrid_forward(self, F, ids, values=None):
        return self.fm(ids, values) + self.dnn(ids, values)


def with_tables(tables, field_sizes, k, units, dropout):
    """The model of that name: see the table `deepfm_claims_tables`."""
    kind = DeepFM if tables == "shared" else TwoTables
    k = k // 2 if tables == "halves" else k
    return kind(field_sizes, k, (units, units), dropout)


def load(data, seed):
    """The field sizes, and training, validation and test rows, as `(ids, labels)`."""
    if data == "click log":
        logs = [make_click_log(rows, 3 * seed + i) for i, rows in enumerate(ROWS)]
        parts = [(log.columns, log.labels) for log in logs]
    else:
        survey = load_coupons()
        parts = [({name: column[rows] for name, column in survey.columns.items()},
                  survey.labels[rows]) for rows in split_by(survey.profiles, seed=seed)]
    encoder = FieldEncoder(missing=True).fit(parts[0][0])
    return encoder.field_sizes, [(encoder.transform(columns), labels)
                                 for columns, labels in parts]


def tables():
    """DeepFM with one table and with two, on the click log and on the coupons."""
    for data, seed in product(SHAPES, TABLE_SEEDS):
        loaded = load(data, seed)
        for name in TABLES:
            yield table_run(data, loaded, name, seed)


def table_run(data, loaded, name, seed):
    """Train one model once: its row of the table."""
    field_sizes, parts = loaded
    *shape, settings = SHAPES[data]
    found = study.run(with_tables(name, field_sizes, *shape), *parts, epochs=60,
                      patience=5, seed=seed, **settings)
    return {"data": data, "tables": name, "seed": seed, **found}


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
        """How far the model has come from a coin toss (0) to the true p (1).

        It is measured in expected log loss over all cells, without drawing any click.
        """
        p = predict(model, self.cells).astype(float).clip(1e-7, 1 - 1e-7)
        def loss(p):
            return -np.mean(self.p * np.log(p) + (1 - self.p) * np.log(1 - p))
        return (np.log(2) - loss(p)) / (np.log(2) - loss(self.p))


def products():
    """FM, DNN and DeepFM where nothing but a product decides."""
    for k, num_rows, seed, name in product(FACTORS, NUM_ROWS, PRODUCT_SEEDS, MODELS):
        yield product_run(k, num_rows, name, seed)


def product_run(k, num_rows, name, seed):
    """Train one model once: its row of the table."""
    world = Product(k, seed)
    train, validation = world.draw(num_rows), world.draw(num_rows // 4)
    kind, units = MODELS[name]
    model = study.build(kind, (FEATURES, FEATURES), k, (units, units))
    history = fit(model, train, validation, epochs=150, batch_size=BATCH, patience=5,
                  learning_rate=LEARNING_RATE, embedding_l2=PENALTY, seed=seed,
                  progress=False)
    return {"factors": k, "rows": num_rows, "model": name, "seed": seed,
            "best_epoch": history.best_epoch, "found": world.found(model)}


def shown(rows):
    """The rows, each printed as it comes, with the seconds that it took this core."""
    begin = time.process_time()
    for row in rows:
        print(row, f"{time.process_time() - begin:.1f} s", flush=True)
        begin = time.process_time()
        yield row


if __name__ == "__main__":
    parts = {part.__name__: part for part in (tables, products)}
    for name in sys.argv[1:] or parts:
        study.write(f"deepfm_claims_{name}", list(shown(parts[name]())), FINGERPRINT)
