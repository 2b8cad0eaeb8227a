"""Loading MovieLens: the published files, and all ways in which they can be missing."""
import http.server
import shutil
import socket
import threading

import numpy as np
import pooch
import pytest
from samples import check_dataset

from deepfm_tutorial.datasets import load_movielens, movielens

# Two users, two films and three ratings in the published layout, made up here.
TINY = {
    "u.data": "1\t2\t4\t874965758\n2\t1\t3\t874965759\n1\t1\t5\t0\n",
    "u.user": "1|17|F|artist|A1B2C\n2|55|M|none|02139\n",
    "u.item": (
        "1|Film (1999)|01-Jan-1999||http://x|0|1|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0\n"
        "2|Caf\xe9|||http://x|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"),
}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder with the tiny files, whose hashes count as the published ones."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in TINY.items():
        (folder / name).write_text(text, "latin-1")
        monkeypatch.setitem(movielens.SHA256, name, pooch.file_hash(str(folder / name)))
    monkeypatch.setenv("DEEPFM_TUTORIAL_DATA", str(folder))
    return folder


@pytest.fixture
def served(tiny, tmp_path, monkeypatch):
    """The same files behind a server on this machine, and an empty cache."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tiny))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("DEEPFM_TUTORIAL_DATA")
    monkeypatch.delenv("DEEPFM_TUTORIAL_OFFLINE", raising=False)
    monkeypatch.setattr(movielens, "ADDRESS", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    yield server
    server.shutdown()
    server.server_close()


def cached(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*")
                  if path.is_file())


@pytest.mark.needs("movielens")
def test_the_published_data():
    data = load_movielens(progress=False)
    assert {name: len(set(column)) for name, column in data.columns.items()} == {
        "user": 943, "item": 1682, "gender": 2, "age": 6, "occupation": 21, "zip": 19,
        "year": 72, "genres": 216, "hour": 24, "weekday": 7}
    # u.data: 34,174 fours, 21,201 fives.
    assert len(data.labels) == 100_000 and data.labels.sum() == 55_375
    np.testing.assert_array_equal(np.bincount(data.ratings)[1:],
                                  [6110, 11370, 27145, 34174, 21201])
    assert (data.ages.min(), data.ages.max()) == (7, 73)  # u.user
    for band, first, last in (("under 18", 0, 17), ("35-44", 35, 44),
                              ("55 and over", 55, 130)):
        np.testing.assert_array_equal(data.columns["age"] == band,
                                      (first <= data.ages) & (data.ages <= last))


def test_fields_by_hand(tiny):
    data = load_movielens()
    check_dataset(data)
    rows = list(zip(*data.columns.values()))
    assert rows[0] == ("1", "2", "F", "under 18", "artist", "A", "unknown",
                       "unknown", "22", "Mon")  # 22:02:38 UTC
    assert rows[1][3:8] == ("55 and over", "none", "0", "1999", "Action|Drama")
    assert rows[2][8:] == ("00", "Thu")  # 1 January 1970, midnight UTC
    np.testing.assert_array_equal(data.labels, [1, 0, 1])
    np.testing.assert_array_equal(data.timestamps, [874965758, 874965759, 0])
    np.testing.assert_array_equal(data.ages, [17, 55, 17])


def test_each_band_of_ages_begins_and_ends_where_its_name_says(tiny):
    bands = {"under 18": (0, 17), "18-24": (18, 24), "25-34": (25, 34),
             "35-44": (35, 44), "45-54": (45, 54), "55 and over": (55, 130)}
    ages = [age for both in bands.values() for age in both]
    for name, line in (("u.user", "{0}|{1}|F|artist|A\n"),
                       ("u.data", "{0}\t1\t4\t0\n")):
        (tiny / name).write_text("".join(map(line.format, range(len(ages)), ages)))
    data = movielens.read_movielens({name: tiny / name for name in TINY})
    found = dict(zip(data.ages.tolist(), data.columns["age"].tolist()))
    assert found == {age: band for band, both in bands.items() for age in both}


def test_the_folder_may_hold_the_files_or_an_ml_100k_folder(tiny,
                                                            tmp_path, monkeypatch):
    outer = tmp_path / "outer"
    shutil.copytree(tiny, outer / "ml-100k")
    monkeypatch.setenv("DEEPFM_TUTORIAL_DATA", str(outer))
    assert len(load_movielens().labels) == 3


def test_a_missing_file_is_named(tiny):
    (tiny / "u.user").unlink()
    with pytest.raises(FileNotFoundError, match="u.user.*DEEPFM_TUTORIAL_DATA"):
        load_movielens()


@pytest.mark.parametrize(
    "spoil",
    [lambda text: text[:-5], lambda text: text.replace("4", "5", 1), lambda text: ""])
def test_a_truncated_or_altered_file_is_named(tiny, spoil):
    (tiny / "u.data").write_text(spoil(TINY["u.data"]))
    with pytest.raises(ValueError, match="u.data.*not the published.*fetch it"):
        load_movielens()


@pytest.mark.parametrize("name, text, message", [
    ("u.data", "1\t2\t4\t0\n1\t2\tfour\t0\n", "u.data, line 2, is malformed"),
    ("u.data", "1\t2\t4\n", "u.data, line 1, is malformed.*3 parts instead of 4"),
    ("u.data", "1\t2\t4\t0\n3\t2\t4\t0\n", "u.user lacks user 3"),
    ("u.data", "1\t9\t4\t0\n", "u.item lacks item 9"),
    ("u.user", "1|old|F|artist|A\n", "u.user, line 1, is malformed"),
    ("u.user", "1|17|F|artist|A\n2|-1|M|none|0\n",
     "u.user, line 2, is malformed.*age -1: 0 to 130"),
    ("u.item", "1|Film\n", "u.item, line 1, is malformed"),
    ("u.item", "", "u.item is empty"),
])
def test_a_malformed_line_is_named(tiny, name, text, message):
    (tiny / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        movielens.read_movielens({n: tiny / n for n in TINY})


def test_download_fills_the_cache_once_and_shows_its_progress(served, tmp_path, capfd):
    assert len(load_movielens().labels) == 3
    assert "100%" in capfd.readouterr().err
    assert cached(tmp_path) == ["u.data", "u.item", "u.user"]
    served.shutdown()
    assert len(load_movielens().labels) == 3  # from the cache
    assert capfd.readouterr().err == ""


def test_an_altered_download_is_refused_and_not_kept(served, tiny, tmp_path):
    (tiny / "u.user").write_text("1|17|F|art")
    with pytest.raises(ValueError, match="u.user.*not the published file.*try again"):
        load_movielens(progress=False)
    assert cached(tmp_path) == ["u.data"]


def test_a_missing_network_is_said_with_the_way_out(served, tmp_path):
    served.shutdown()
    served.server_close()
    with pytest.raises(ConnectionError, match="u.data.*DEEPFM_TUTORIAL_DATA"):
        load_movielens(progress=False)
    assert cached(tmp_path) == []


def test_a_server_that_does_not_answer_costs_seconds(served, tmp_path, monkeypatch):
    # It accepts and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(movielens, "ADDRESS",
                            f"http://127.0.0.1:{silent.getsockname()[1]}/")
        monkeypatch.setattr(movielens, "SECONDS", 0.1)
        # Refused: the package's own must be used.
        monkeypatch.setattr(pooch.downloaders, "DEFAULT_TIMEOUT", 0)
        with pytest.raises(ConnectionError, match="ReadTimeout"):
            load_movielens(progress=False)
    assert cached(tmp_path) == []


def test_offline_the_server_is_not_asked_but_the_cache_is(served, monkeypatch):
    monkeypatch.setenv("DEEPFM_TUTORIAL_OFFLINE", "1")
    with pytest.raises(ConnectionError, match="u.data.*DEEPFM_TUTORIAL_DATA"):
        load_movielens(progress=False)
    monkeypatch.delenv("DEEPFM_TUTORIAL_OFFLINE")
    load_movielens(progress=False)
    monkeypatch.setenv("DEEPFM_TUTORIAL_OFFLINE", "1")
    assert len(load_movielens().labels) == 3


@pytest.mark.parametrize("blocked", ["cache", "cache/deepfm_tutorial/ml-100k"])
def test_a_cache_that_cannot_be_written_is_named_and_the_network_is_not_blamed(
        served, tmp_path, blocked):
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_text("a file, where a folder should be")
    with pytest.raises(
            OSError,
            match=f"{tmp_path / 'cache'}.*cannot be written.*XDG_CACHE_HOME") as caught:
        load_movielens(progress=False)
    assert not isinstance(caught.value, ConnectionError)


def test_whether_it_is_here_is_said_without_the_network(served, tiny,
                                                        tmp_path, monkeypatch):
    assert not movielens.is_here()
    load_movielens(progress=False)
    served.shutdown()
    assert movielens.is_here()
    (tmp_path / "cache/deepfm_tutorial/ml-100k/u.item").write_text("spoilt")
    assert not movielens.is_here()
    monkeypatch.setenv("DEEPFM_TUTORIAL_DATA", str(tiny))
    assert movielens.is_here()
    (tiny / "u.user").unlink()
    with pytest.raises(FileNotFoundError, match="u.user"):
        movielens.is_here()


def test_the_command_says_it_in_one_line(tiny):
    (tiny / "u.item").unlink()
    with pytest.raises(SystemExit, match="^MovieLens: u.item is neither in"):
        movielens.main()
