"""What all libraries are given alike. Stored with every result."""
import os

MODEL = {"num_factors": 10, "hidden_units": [400, 400, 400], "dropout": 0.2}
TRAINING = {"batch_size": 4096, "learning_rate": 0.005}
EPOCHS = {"click log": 3, "MovieLens": 2, "coupons": 10}  # of fifteen minutes in all
THREADS = int(os.environ.get("BENCHMARK_THREADS", 2))  # a worker is told by that
SEEDS = [1, 2, 3]  # every library trains once a seed, after one epoch to warm up
TEST_SHARE = 0.3
SHARES = {"test": TEST_SHARE, "train": 1 - TEST_SHARE}
CLICK_ROWS = 100_000
SPLIT_SEED = 0

LIBRARIES = ["deepfm_tutorial", "PyTorch", "PyTorch compiled", "JAX",
             "DeepCTR-Torch", "FuxiCTR"]
DATA = list(EPOCHS)

# Where each library is trained by its own settings, until its own best epoch.
BEST = {"shares": {"test": 0.2, "validation": 0.1, "train": 0.7},
        "seeds": [1, 2, 3, 4, 5], "patience": 3, "most epochs": 100}

# Ours against another library, in rows a second: batch norm → library → at least.
TARGETS = {
    False: {"PyTorch": 1.15, "PyTorch compiled": 1.3, "JAX": 1.05, "DeepCTR-Torch": 1.5,
            "FuxiCTR": 1.4},
    True: {"PyTorch": 1.1, "PyTorch compiled": 1.0, "JAX": 0.9, "DeepCTR-Torch": 1.4,
           "FuxiCTR": 1.2},
}


def dense_flops(num_fields, num_factors=MODEL["num_factors"],
                hidden_units=MODEL["hidden_units"]):
    """Floating-point operations of the dense layers for one row of training.

    A layer of m inputs and n outputs costs 2·m·n forward, and as much again for each of
    the gradients of its weights and of its inputs.
    """
    widths = [num_fields * num_factors, *hidden_units, 1]
    return 3 * 2 * sum(m * n for m, n in zip(widths, widths[1:]))
