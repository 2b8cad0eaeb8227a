"""This book's package, as chapter 7 uses it."""
import deepfm_tutorial

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
