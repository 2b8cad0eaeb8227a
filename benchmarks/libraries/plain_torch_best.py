"""Plain PyTorch by this package's own settings: it has none of its own for a model."""
import torch

from . import plain_torch


class OwnBest(plain_torch.Trainer):
    """The defaults of `deepfm_tutorial.fit`, and its usual penalty on whole tables."""

    batch_size, learning_rate, penalty = 1024, 1e-3, 1000.0

    def __init__(self, parts):
        super().__init__(parts, batch_norm=False)
        self.parts = {part: torch.from_numpy(parts[f"{part}_ids"])
                      for part in ("validation", "test")}

    def new_optimizer(self):
        tables = [self.model.weights.weight, self.model.factors.weight]
        others = [self.model.bias, *self.model.mlp.parameters()]
        return torch.optim.Adam(
            [{"params": tables, "weight_decay": self.penalty / len(self.ids)},
             {"params": others}], self.learning_rate, fused=True)

    def train(self, seed, notes):
        self.new_model(seed)
        while not notes.is_enough():
            with notes.training():
                self.epoch()
            notes.judge(self.predict)

    def epoch(self):
        self.model.train()
        for rows in torch.randperm(len(self.ids)).split(self.batch_size):
            self.adam.zero_grad()
            self.loss(self.ids[rows], self.labels[rows]).backward()
            self.adam.step()

    def predict(self, part):
        self.test_ids = self.parts[part]
        return super().predict()
