"""Plain PyTorch through `torch.compile`: model and loss as one compiled graph."""
import torch
from torch._inductor import config

from . import plain_torch

# PyTorch's own random numbers for dropout: faster here than those that it compiles.
config.fallback_random = True


class Trainer(plain_torch.Trainer):
    compiled = None

    def new_model(self, seed):
        super().new_model(seed)
        if self.compiled is None:
            # An epoch's batches have two sizes, so there are two graphs.
            self.compiled = torch.compile(super().loss, dynamic=False)
            self.kept = self.model
        # What was compiled belongs to the first model: it takes the new one's weights.
        self.kept.load_state_dict(self.model.state_dict())
        self.model = self.kept
        self.adam = self.new_optimizer()

    def loss(self, ids, labels):
        return self.compiled(ids, labels)
