"""DeepCTR-Torch through its own `compile` and `fit`, its default L2 penalties off."""

import torch
from deepctr_torch.inputs import SparseFeat
from deepctr_torch.models import DeepFM

from ..settings import MODEL, THREADS, TRAINING


class Trainer:
    def __init__(self, data, batch_norm):
        torch.set_num_threads(THREADS)
        self.batch_norm = batch_norm
        self.features = [SparseFeat(f"f{i}", size, MODEL["num_factors"])
                         for i, size in enumerate(data["field_sizes"].tolist())]
        self.train_columns, self.test_columns = (
            {f"f{i}": column
             for i, column in enumerate((data[name] - data["offsets"]).T)}
            for name in ("train_ids", "test_ids"))
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
