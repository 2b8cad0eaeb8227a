"""Named arrays and facts in one file that is written as a whole or not at all (chapter 10)."""
import hashlib
import json
import os
import reprlib
import zipfile
from pathlib import Path

import numpy as np

from .checks import as_numpy


def write(path, arrays, facts):
    """Write a file that at every moment is either the old one or the new one, on disk.

    All goes into a file beside it first, and a rename, which the system does at once or not at
    all, puts that in its place. The format is NumPy's `.npz` with `facts.json` in it.

    Args:
        path: the file; its folder is made if it is missing.
        arrays: name → NumPy array or NDArray.
        facts: what JSON can hold.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with open(part, "wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("facts.json", json.dumps({"arrays": list(arrays), "facts": facts}))
            for name, array in arrays.items():  # one at a time: large tables are not held twice
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, as_numpy(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    flush(path.parent)


def read(path):
    """Return `(arrays, facts)` as `write` got them, the arrays as NumPy arrays.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not what `write` left; it stays as it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # checks each member's CRC-32
            stored = json.loads(archive.read("facts.json"))
            return {name: _array(archive, name) for name in stored["arrays"]}, stored["facts"]
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever a flipped bit makes zipfile, json or NumPy raise
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}) and was left as it "
                         "is: move it away to start anew") from None


def identity(model, train, validation, encoder, **settings):
    """Return what must be the same for a training to go on, ready for JSON.

    Args:
        model: one of this package's models.
        train, validation: `(ids, labels, values)`, values or a whole triple None. 1,024 of
            their rows, evenly spread, stand for all.
        encoder: a `FieldEncoder` or None.
        settings: of the training.
    """
    same = {"encoder": encoder and encoder.fingerprint, "model": type(model).__name__,
            "field_sizes": model.field_sizes,
            "shapes": [parameter.shape for parameter in model.collect_params().values()],
            "layers": [line.strip() for line in repr(model).splitlines() if len(line.strip()) > 1],
            "training rows": _fingerprint(train), "validation rows": _fingerprint(validation)}
    return json.loads(json.dumps(same | settings))


def read_same(path, same):
    """Return what `read` does, or None where there is no file.

    Raises:
        ValueError: the file is damaged, or was written by a training that is not the `same`.
    """
    try:
        arrays, facts = read(path)
    except FileNotFoundError:
        return None
    for name, mine in same.items():
        if (theirs := facts["same"].get(name)) != mine:
            theirs, mine = _where_they_differ(theirs, mine)
            raise ValueError(f"{path} was written by another training, with {name} "
                             f"{reprlib.repr(theirs)} and not {reprlib.repr(mine)}. It was left as "
                             "it is: name another folder, or move it away")
    return arrays, facts


def _where_they_differ(a, b):
    """The first entries that differ, of lists as long as each other; else both as they are."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next((x, y) for x, y in zip(a, b) if x != y)
    return a, b


def _fingerprint(data):
    """A SHA-256 over the number of rows and 1,024 of them."""
    if data is None:
        return None
    rows = np.unique(np.linspace(0, len(data[0]) - 1, 1024).astype(int))
    sample = [array if array is None else array[rows].tobytes() for array in data]
    return hashlib.sha256(repr((len(data[0]), sample)).encode()).hexdigest()


def _array(archive, name):
    with archive.open(f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def flush(path):
    """Have what was written to a file or folder, a rename too, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
