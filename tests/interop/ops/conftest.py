from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # Eigen's kernels, which compute as every build of TensorFlow does

import pytest
from report import FOUND


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FOUND, FOUND.NAME)
