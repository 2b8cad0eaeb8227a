"""MovieLens 100K as ten categorical fields.

The data may be used for research and may not be passed on, so it is downloaded and
never shipped: F. M. Harper and J. A. Konstan, "The MovieLens Datasets", ACM TiiS 5(4),
2015.
"""
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
import requests

ADDRESS = "https://files.grouplens.org/datasets/movielens/ml-100k/"
SECONDS = 5  # without an answer; then the server counts as out of reach
SHA256 = {
    "u.data": "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
    "u.user": "f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c",
    "u.item": "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
}
GENRES = ("unknown Action Adventure Animation Children's Comedy Crime Documentary "
          "Drama Fantasy Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War "
          "Western").split()
AGE_BANDS = {0: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-54",
             55: "55 and over"}


class MovieLens(NamedTuple):
    """100,000 ratings, one row each.

    Attributes:
        columns: field name → (N,) array of text, in the order user, item, gender, age,
            occupation, zip, year, genres, hour, weekday.
        labels: (N,) float32, 1 where the rating is 4 or 5.
        ratings: (N,) int64, 1 to 5 stars.
        timestamps: (N,) int64, seconds since 1970 (UTC).
        ages: (N,) int64, the user's age in whole years; `columns["age"]` has its band.
    """

    columns: dict
    labels: np.ndarray
    ratings: np.ndarray
    timestamps: np.ndarray
    ages: np.ndarray


def load_movielens(progress: bool = True) -> MovieLens:
    """Return MovieLens 100K, downloading it into a per-user cache the first time.

    With `DEEPFM_TUTORIAL_DATA` set, nothing is downloaded: the three files are read
    from that directory, or from `ml-100k` inside it. With `DEEPFM_TUTORIAL_OFFLINE=1`
    the server counts as out of reach.

    Args:
        progress: whether a download shows a progress bar.

    Returns:
        A `MovieLens`.

    Raises:
        FileNotFoundError: `DEEPFM_TUTORIAL_DATA` lacks one of the files.
        ConnectionError: a download failed; no partial file is left.
        OSError: the cache folder cannot be written.
        ValueError: a file is not the published one, or a line in it is malformed.
    """
    paths = {name: _find(name, progress) for name in SHA256}
    return read_movielens(paths)


def is_here() -> bool:
    """Return whether `load_movielens` needs no network: the files are cached or named.

    Raises:
        FileNotFoundError, ValueError: `DEEPFM_TUTORIAL_DATA` is set, and not to the
            published files.
    """
    if directory := os.environ.get("DEEPFM_TUTORIAL_DATA"):
        return all(_offline(name, Path(directory)) for name in SHA256)
    cached = {_cache().abspath / name: sha256 for name, sha256 in SHA256.items()}
    return all(path.is_file() and pooch.file_hash(str(path)) == sha256
               for path, sha256 in cached.items())


def read_movielens(paths: Mapping[str, Path]) -> MovieLens:
    """Return the `MovieLens` of the files u.data, u.user and u.item at `paths`."""
    ratings = np.array(_read(paths["u.data"], "\t", 4, _integers))
    users = dict(_read(paths["u.user"], "|", 5, _user))
    items = dict(_read(paths["u.item"], "|", 24, _item))
    user, item, stars, seconds = ratings.T
    about_users = _look_up(users, user, "user", paths["u.user"])
    about_items = _look_up(items, item, "item", paths["u.item"])
    gender, age, occupation, region = about_users.T
    bands = np.array([_band(years) for years in age.astype(int).tolist()])
    year, genres = about_items.T
    moments = [datetime.fromtimestamp(second, UTC)
               for second in seconds.tolist()]
    columns = {
        "user": user.astype(str), "item": item.astype(str),
        "gender": gender, "age": bands, "occupation": occupation, "zip": region,
        "year": year, "genres": genres,
        "hour": np.array([f"{moment:%H}" for moment in moments]),
        "weekday": np.array([f"{moment:%a}" for moment in moments]),
    }
    labels = (stars >= 4).astype(np.float32)
    return MovieLens(columns, labels, stars, seconds, age.astype(np.int64))


def _find(name: str, progress: bool) -> Path:
    directory = os.environ.get("DEEPFM_TUTORIAL_DATA")
    return _offline(name, Path(directory)) if directory else _download(name, progress)


def _offline(name: str, directory: Path) -> Path:
    for path in (directory / "ml-100k" / name, directory / name):
        if path.is_file():
            break
    else:
        raise FileNotFoundError(f"{name} is neither in {directory} nor in "
                                f"{directory / 'ml-100k'}: put it there, or unset "
                                "DEEPFM_TUTORIAL_DATA to download it")
    if pooch.file_hash(str(path)) != SHA256[name]:
        raise ValueError(f"{path} is not the published {name} (its SHA-256 differs): "
                         f"fetch it again from {ADDRESS}{name}")
    return path


def _cache() -> pooch.Pooch:
    """The files in the per-user cache, in the place that the environment names now."""
    pooch.get_logger().setLevel("WARNING")
    folder = Path(pooch.os_cache("deepfm_tutorial")) / "ml-100k"
    registry = {name: f"sha256:{digits}" for name, digits in SHA256.items()}
    return pooch.create(folder, ADDRESS, registry=registry)


def _download(name: str, progress: bool) -> Path:
    cache = _cache()
    offline = os.environ.get("DEEPFM_TUTORIAL_OFFLINE", "") not in ("", "0")
    try:
        # pooch writes to a temporary file and moves it only when the hash is right.
        http = pooch.HTTPDownloader(progress, timeout=SECONDS)
        return Path(cache.fetch(name, downloader=_refuse if offline else http))
    except (requests.RequestException, ConnectionError) as error:
        raise ConnectionError(
            f"could not download {name} from {ADDRESS}{name} ({type(error).__name__}). "
            "Try again, or fetch u.data, u.user and u.item on another machine and name "
            "their directory in DEEPFM_TUTORIAL_DATA") from None
    except OSError as error:
        raise OSError(
            f"the folder {cache.abspath} cannot be written ({type(error).__name__}). "
            "Name another for caches in XDG_CACHE_HOME, or one that has the files in "
            "DEEPFM_TUTORIAL_DATA") from None
    except ValueError:
        raise ValueError(
            f"{name} from {ADDRESS}{name} is not the published file (its SHA-256 "
            "differs): the download was cut short or altered, try again") from None


def _refuse(*_):
    raise ConnectionError("DEEPFM_TUTORIAL_OFFLINE is set")


def _read(path, separator, num_parts, parse):
    """Parse a file line by line; say which line is malformed."""
    rows = []
    lines = Path(path).read_text("latin-1").splitlines()
    for number, line in enumerate(lines, start=1):
        parts = line.split(separator)
        try:
            if len(parts) != num_parts:
                raise ValueError(f"{len(parts)} parts instead of {num_parts}")
            rows.append(parse(parts))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {number}, is malformed ({error}): "
                             "delete the file and load it again") from None
    if not rows:
        raise ValueError(f"{path} is empty: delete the file and load it again")
    return rows


def _integers(parts):
    return [int(part) for part in parts]


def _user(parts):
    user, age, gender, occupation, zip_code = parts
    return int(user), (gender, _whole_years(age), occupation, zip_code[:1])


def _whole_years(age):
    if not 0 <= int(age) <= 130:
        raise ValueError(f"age {age}: 0 to 130 is allowed")
    return int(age)


def _band(years):
    return AGE_BANDS[max(start for start in AGE_BANDS if start <= years)]


def _item(parts):
    released, flags = parts[2], _integers(parts[5:])
    year = released[-4:] or "unknown"  # one film has no date
    return int(parts[0]), (year, "|".join(g for g, flag in zip(GENRES, flags) if flag))


def _look_up(table, keys, what, path):
    if absent := set(keys.tolist()) - set(table):
        raise ValueError(f"{path} lacks {what} {min(absent)}, which u.data names: "
                         "delete the files and load them again")
    return np.array([table[key] for key in keys.tolist()])


def main() -> None:
    """Fetch the data, for `make`, before the notebooks want them."""
    try:
        load_movielens()
    except (OSError, ValueError) as error:
        sys.exit(f"MovieLens: {error}")
