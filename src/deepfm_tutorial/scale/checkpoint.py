"""A training's state in one file, written as a whole or not at all (chapter 11)."""
import hashlib
import json
import os
import reprlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import ROWS_AT_ONCE, as_numpy, plain
from ..embeddings import FieldBlock
from ..fields import FieldEncoder


class Checkpoint:
    """Where `fit` and `distributed.train` leave what a training needs to go on.

    Args:
        folder: where to; it is made if it is missing. The file in it is `training.npz`.
        encoder: the `FieldEncoder` that made the ids, or None. A training with another
            one is another training.
    """

    def __init__(self, folder: str | Path, encoder: FieldEncoder | None = None) -> None:
        self.path = Path(folder) / "training.npz"
        self.encoder = encoder
        self._fingerprint = None

    def open(self, model: FieldBlock, data: Mapping[str, Sequence | None],
             **settings: Any) -> tuple[dict, dict] | None:
        """Return what the same training left here last, or None where nothing is.

        Args:
            model: one of this package's models.
            data: a name for some rows, for errors → the arrays that hold them. Every
                row counts: all are read once, a slice at a time.
            settings: of the training, what JSON can hold.

        Returns:
            `(arrays, metadata)` as `save` got them.

        Raises:
            OSError: the folder cannot be made, for instance because it is a file.
            ValueError: the file is damaged, or another training wrote it. It stays as
                it is.
        """
        _make_folder(self.path.parent)
        self._fingerprint = self._decides(model, data, settings)
        try:
            arrays, metadata = read(self.path)
        except FileNotFoundError:
            return None
        self._check_same(metadata.pop("fingerprint"))
        return arrays, metadata

    def save(self, arrays: Mapping[str, Any], metadata: dict) -> None:
        """Replace what is here, at once or not at all.

        Args:
            arrays: name → NumPy array or NDArray.
            metadata: what JSON can hold.

        Raises:
            OSError: the folder cannot be written; the old file stays.
            ValueError: `open` was not called.
        """
        if self._fingerprint is None:
            raise ValueError("open the checkpoint before you save: that tells which "
                             "training it is")
        write(self.path, arrays, metadata | {"fingerprint": self._fingerprint})

    def _decides(self, model: FieldBlock, data: Mapping, settings: dict) -> dict:
        """All that must be the same for a training to go on, ready for JSON."""
        parts = {name: arrays and digest(arrays) for name, arrays in data.items()}
        layers = [line.strip() for line in repr(model).splitlines()
                  if len(line.strip()) > 1]
        of_model = {"encoder": self.encoder and self.encoder.fingerprint,
                    "model": type(model).__name__, "field_sizes": model.field_sizes,
                    "shapes": [p.shape for p in model.collect_params().values()],
                    "frozen": [p.grad_req == "null"
                               for p in model.collect_params().values()],
                    "layers": layers, "arguments": model.arguments}
        return json.loads(json.dumps(of_model | parts | settings, default=plain))

    def _check_same(self, theirs: dict) -> None:
        for name, mine in self._fingerprint.items():
            if (other := theirs.get(name)) != mine:
                other, mine = map(reprlib.repr, _where_they_differ(other, mine))
                raise ValueError(f"{self.path} was written by another training, "
                                 f"with {name} {other} and not {mine}. It was left "
                                 "as it is: name another folder, or move it away")


def digest(data: Sequence) -> str:
    """Return a SHA-256 of all ids, labels and values, in the types that models take.

    It reads mapped files once and a slice at a time: about 1.5 GB a second.

    Args:
        data: ids, labels and, perhaps, values and weights; None in the place of one.
    """
    sha = hashlib.sha256()
    for array, kind in zip(data, (np.int32, np.float32, np.float32, np.float32)):
        if array is None:
            continue
        array = as_numpy(array)
        sha.update(repr((array.shape, kind.__name__)).encode())
        for first in range(0, len(array), ROWS_AT_ONCE):
            part = array[first:first + ROWS_AT_ONCE]
            sha.update(np.ascontiguousarray(part, dtype=kind))
    return sha.hexdigest()


def write(path: str | Path, arrays: Mapping[str, Any], metadata: dict) -> None:
    """Write a file that at every moment is either the old one or the new one, on disk.

    All goes into a file beside it first. A rename, which the system does at once or not
    at all, puts that in its place. The format is NumPy's `.npz` with `metadata.json` in
    it.

    Args:
        path: the file; its folder is made if it is missing.
        arrays: name → NumPy array or NDArray.
        metadata: what JSON can hold.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    described = json.dumps({"arrays": list(arrays), "metadata": metadata})
    with open(part, "wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("metadata.json", described)
            # One array at a time, so that no large table is held twice.
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, as_numpy(array),
                                              allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    flush(path.parent)


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return `(arrays, metadata)` as `write` got them, the arrays as NumPy arrays.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not what `write` left; it stays as it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # checks each member's CRC-32
            stored = json.loads(archive.read("metadata.json"))
            arrays = {name: _array(archive, name) for name in stored["arrays"]}
            return arrays, stored["metadata"]
    except FileNotFoundError:
        raise
    except Exception as error:
        # Whatever a flipped bit makes zipfile, json or NumPy raise.
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}) or not "
                         "of this version. It was left as it is: move it away to "
                         "start anew") from None


def _make_folder(folder: Path) -> None:
    """Make it now: after an epoch it would be too late to say that it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{folder} cannot be made a folder for checkpoints "
                      f"({type(error).__name__}): name another") from None


def flush(path: str | Path) -> None:
    """Have what was written to a file or folder, a rename too, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _where_they_differ(a: Any, b: Any) -> tuple:
    """The first entries that differ, of lists of one length; else both as they are."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next((x, y) for x, y in zip(a, b) if x != y)
    return a, b
