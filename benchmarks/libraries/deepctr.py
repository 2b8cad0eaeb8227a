"""DeepCTR-Torch through its own `compile` and `fit`, its default L2 penalties off."""

import torch
from deepctr_torch.inputs import SparseFeat
from deepctr_torch.models import DeepFM

from ..settings import MODEL, THREADS, TRAINING


def features(data, **settings):
    """Its description of the fields."""
    return [SparseFeat(f"f{i}", size, **settings)
            for i, size in enumerate(data["field_sizes"].tolist())]


def columns(data, part):
    """A part's ids as it takes them: a column a field, each numbered from 0."""
    ids = data[f"{part}_ids"] - data["offsets"]
    return {f"f{i}": column for i, column in enumerate(ids.T)}


class Trainer:
    def __init__(self, data, batch_norm):
        torch.set_num_threads(THREADS)
        self.batch_norm = batch_norm
        self.features = features(data, embedding_dim=MODEL["num_factors"])
        self.train_columns, self.test_columns = (columns(data, part)
                                                 for part in ("train", "test"))
        self.labels = data["train_labels"]

    def new_model(self, seed):
        torch.manual_seed(seed)
        self.model = DeepFM(self.features, self.features, seed=seed, device="cpu",
                            dnn_hidden_units=MODEL["hidden_units"],
                            dnn_dropout=MODEL["dropout"], dnn_use_bn=self.batch_norm,
                            l2_reg_linear=0, l2_reg_embedding=0, l2_reg_dnn=0)
        adam = torch.optim.Adam(self.model.parameters(), TRAINING["learning_rate"])
        self.model.compile(adam, "binary_crossentropy")

    def train(self, epochs):
        self.model.fit(self.train_columns, self.labels,
                       batch_size=TRAINING["batch_size"], epochs=epochs, verbose=0)

    def predict(self):
        return self.model.predict(self.test_columns, batch_size=8192)[:, 0]


class OwnBest:
    """With the defaults of its `SparseFeat`, `DeepFM`, `compile` and `fit`: 4 factors,
    layers of 256 and 128 units, Adam's step .001, 256 rows a step, L2 of 1e-5."""

    def __init__(self, parts):
        torch.set_num_threads(THREADS)
        self.features, self.labels = features(parts), parts["train_labels"]
        self.columns = {part: columns(parts, part)
                        for part in ("train", "validation", "test")}

    def train(self, seed, notes):
        torch.manual_seed(seed)
        model = DeepFM(self.features, self.features, seed=seed, device="cpu")
        model.compile("adam", "binary_crossentropy")
        while not notes.is_enough():
            with notes.training():
                model.fit(self.columns["train"], self.labels, verbose=0)
            notes.judge(lambda part: model.predict(self.columns[part])[:, 0])
