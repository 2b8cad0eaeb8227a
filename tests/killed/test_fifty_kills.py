"""`make test-kill`: a training that is killed at 50 random moments loses nothing."""
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

JOB = [sys.executable, Path(__file__).with_name("job.py")]
KILLS = 50


def run_and_kill(arguments, seconds):
    """Return whether the job was killed so long after it began, or had ended before."""
    with subprocess.Popen([*JOB, *arguments], stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout.readline() == "training\n"
        time.sleep(seconds)
        process.kill()
    assert process.returncode in (0, -9)
    return process.returncode == -9


@pytest.mark.timeout(7200)
def test_killed_at_fifty_random_moments_the_weights_are_bit_equal(tmp_path):
    """Each training is started and killed until a start reaches its end."""
    subprocess.run([*JOB, tmp_path / "whole", tmp_path / "whole.npz"], check=True)
    whole, rng = np.load(tmp_path / "whole.npz"), np.random.default_rng(0)
    killed = while_writing = trainings = 0
    while killed < KILLS:
        trainings += 1
        folder, result = tmp_path / str(trainings), tmp_path / f"{trainings}.npz"
        while run_and_kill([folder, result], rng.uniform(0, 1)):
            killed += 1
            while_writing += (folder / "training.npz.part").exists()
        again = np.load(result)
        assert again.files == whole.files
        for name in whole.files:
            np.testing.assert_array_equal(again[name], whole[name],
                                          err_msg=f"{name}, training {trainings}")
    print(f"\n{trainings} trainings, {killed} kills, "
          f"{while_writing} while a checkpoint was being written")
    assert while_writing
