"""What holds for all of core's tests."""

from __future__ import annotations

import hypothesis
import pytest

from modtf import core as tf

hypothesis.settings.register_profile("core", deadline=None)  # the first call of an op loads its family
hypothesis.settings.load_profile("core")


@pytest.fixture(autouse=True)
def no_seed_of_another_test():
    tf.random.set_seed(None)
