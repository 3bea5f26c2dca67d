"""A process that is killed while it saves leaves the old model or checkpoint, or the new one, and nothing in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modtf import core as tf
from modtf.saved_model import load, train

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")

_SAVER = """
import os, sys, time
import numpy as np
from modtf import core as tf
from modtf.saved_model import save, train

class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.parts = [tf.Variable(np.zeros(5000, np.float32)) for _ in range(3)]

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def __call__(self, x):
        return x + self.parts[0][0]

model, kind, path = Model(), sys.argv[1], sys.argv[2]
checkpoint = train.Checkpoint(model=model)

def write(count):
    for part in model.parts:
        part.assign(np.full(5000, count, np.float32))
    if kind == "model":
        save(model, path)
    elif kind == "checkpoint":
        checkpoint.write(path + "/name")
    else:
        train.CheckpointManager(checkpoint, path, max_to_keep=2).save()

write(1)
times = []
for _ in range(5):
    start = time.monotonic()
    write(2)
    times.append(time.monotonic() - start)
print(max(times), flush=True)
for line in sys.stdin:  # each line asks for a process that saves until it is killed
    process = os.fork()
    if not process:
        count = int(line)
        while True:
            count += 1
            write(count)
    print(process, flush=True)
    os.waitpid(process, 0)
    print("gone", flush=True)
"""


def kill_again_and_again(kind: str, path: Path, times: int) -> Iterator[None]:
    """Kills processes that save something, each at a random moment; yields after each."""
    rng = random.Random(7)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _SAVER, kind, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as saver:
        assert saver.stdin is not None and saver.stdout is not None
        try:
            seconds = float(saver.stdout.readline())  # that saving takes at most; after a fork it takes longer
            for number in range(times):
                print(1000 * (number + 1), file=saver.stdin, flush=True)
                process = int(saver.stdout.readline())
                time.sleep(rng.uniform(0, 6 * seconds))
                os.kill(process, signal.SIGKILL)
                assert saver.stdout.readline() == "gone\n"
                yield
        finally:
            saver.kill()


def the_value(parts: list[tf.Variable]) -> float:
    values = {float(value) for part in parts for value in np.unique(part.numpy())}
    assert len(parts) == 3
    assert len(values) == 1, values
    return values.pop()


def test_models(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path, seen = tmp_path / "model", [2.0]
    for _ in kill_again_and_again("model", path, request.config.getoption("kills")):
        loaded = load(path)
        seen.append(the_value(loaded.parts))
        assert float(loaded(tf.constant(1.0))) == 1.0 + seen[-1]
    assert seen == sorted(seen)
    assert len(set(seen)) > 1  # some were killed after they had saved
    left = [item.name for item in tmp_path.iterdir() if item.name != "model"]
    assert all(name.startswith(".model.") and name.endswith(".saving") for name in left)


def test_checkpoints(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seen = [2.0]
    for _ in kill_again_and_again("checkpoint", tmp_path, request.config.getoption("kills")):
        seen.append(restored(str(tmp_path / "name")))
    assert seen == sorted(seen)
    assert len(set(seen)) > 1  # some were killed after they had saved


def test_managed_checkpoints(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seen = []
    for _ in kill_again_and_again("manager", tmp_path, request.config.getoption("kills")):
        latest = train.latest_checkpoint(tmp_path)
        assert latest is not None
        seen.append(restored(latest))
    assert len(set(seen)) > 1  # some were killed after they had saved


def restored(path: str) -> float:
    model = tf.Module()
    model.parts = [tf.Variable(np.zeros(5000, np.float32)) for _ in range(3)]
    train.Checkpoint(model=model).read(path).assert_existing_objects_matched()
    return the_value(model.parts)
