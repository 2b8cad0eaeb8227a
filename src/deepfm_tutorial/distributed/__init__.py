"""Data-parallel training: weights on servers, rows among workers (chapter 12).

::

    python -m deepfm_tutorial.distributed --workers 2 --servers 1 -- python train.py

starts a job; see `launch`.
"""
from importlib import import_module
from typing import Any

# A name's module is imported when the name is asked for. `deepfm_tutorial.runtime` asks
# for `environment` before MXNet may be imported, and the others import MXNet.
_HOMES = {"Worker": "worker", "batches": "worker", "connect": "worker",
          "shard": "worker", "train": "worker", "traffic": "tcp"}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
