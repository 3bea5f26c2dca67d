from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # Eigen's kernels, which compute as every build of TensorFlow does
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import pytest
from reading_report import READ


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(READ, READ.NAME)
