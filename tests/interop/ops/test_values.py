"""Every op beside TensorFlow's: the same calls, variations of the conformance cases, give the same or are both refused.

The calls are the same ones everywhere. `MODTF_EXAMPLES` says how many of each op are made (by default few enough for
every change), `MODTF_SEED` which.
"""

from __future__ import annotations

import os
import warnings

import pytest
from comparison import check
from report import FOUND
from variations import a_call

from modtf.core.conformance.cases import CASES_OF

EXAMPLES = int(os.environ.get("MODTF_EXAMPLES", "20"))
SEED = int(os.environ.get("MODTF_SEED", "0"))


@pytest.mark.parametrize("op", CASES_OF)
def test_an_op_gives_what_tensorflows_gives(op: str) -> None:
    differences = []
    for number in range(EXAMPLES):
        call = a_call(op, f"{SEED} {number}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # overflow and division by zero are drawn on purpose
            try:
                outcome = check(call)
            except AssertionError as error:
                differences.append(str(error))
                continue
        FOUND.note(op, outcome)
    told = "\n\n".join(differences)
    assert not differences, f"{len(differences)} of {EXAMPLES} calls differ from TensorFlow's:\n\n{told}"
