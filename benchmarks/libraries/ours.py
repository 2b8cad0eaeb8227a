"""This book's package, as chapter 7 uses it."""
import deepfm_tutorial

# isort: split
from mxnet import nd

from deepfm_tutorial.training import shuffled_batches

from ..settings import MODEL, TRAINING


class Trainer:
    def __init__(self, data, batch_norm):
        self.data, self.batch_norm = data, batch_norm

    def new_model(self, seed):
        self.seed = seed
        self.model = deepfm_tutorial.DeepFM(self.data["field_sizes"].tolist(), **MODEL,
                                            batch_norm=self.batch_norm)

    def train(self, epochs):
        train = self.data["train_ids"], self.data["train_labels"]
        deepfm_tutorial.fit(self.model, train, epochs=epochs, seed=self.seed,
                            progress=False, **TRAINING)

    def predict(self):
        return deepfm_tutorial.predict(self.model, self.data["test_ids"])


class OwnBest:
    """As it comes, or with what its documentation says did well: the model's usual
    penalty on whole tables ("κ"), and averaged weights ("averaging")."""

    def __init__(self, parts, *options):
        self.sizes = parts["field_sizes"].tolist()
        self.train_rows, self.validation, self.test = (
            (parts[f"{part}_ids"], parts[f"{part}_labels"])
            for part in ("train", "validation", "test"))
        self.settings = {"table_l2": None if "κ" in options else 0.0,
                         "averaging": 0.01 if "averaging" in options else 0.0}

    def train(self, seed, notes):
        """`fit` judges, stops and keeps the best epoch by itself."""
        model, seconds = deepfm_tutorial.DeepFM(self.sizes), []

        def batches(*arguments):
            with notes.training():
                yield from shuffled_batches(*arguments)
                nd.waitall()
            seconds.append(notes.seconds)

        history = deepfm_tutorial.fit(
            model, self.train_rows, self.validation, epochs=notes.most, seed=seed,
            batches=batches, progress=False, **self.settings)
        notes.epochs = [{"seconds": until, "validation_auc": found.auc}
                        for until, found in zip(seconds, history.validation)]
        notes.best = {"best_epoch": history.best_epoch,
                      **deepfm_tutorial.evaluate(model, self.test)._asdict()}
