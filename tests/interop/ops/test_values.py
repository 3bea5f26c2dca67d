"""Every op beside TensorFlow's: the same calls, variations of the conformance cases, give the same or are both refused.

`MODTF_EXAMPLES` says how many calls of each op are made (by default few enough for every change), `MODTF_SEED` which.
"""

from __future__ import annotations

import os
import warnings

import pytest
from comparison import check
from exceptions import OPEN
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from report import FOUND
from variations import calls

from modtf.core.conformance.cases import CASES_OF

EXAMPLES = int(os.environ.get("MODTF_EXAMPLES", "20"))
SEED = int(os.environ.get("MODTF_SEED", "0"))


@pytest.mark.parametrize("op", CASES_OF)
def test_an_op_gives_what_tensorflows_gives(op: str) -> None:
    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(data=st.data())
    def compare(data: st.DataObject) -> None:
        call = data.draw(calls(op))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # overflow and division by zero are drawn on purpose
            outcome = check(call)
        FOUND.outcomes[outcome.compared] += 1
        FOUND.outcomes["gradients"] += outcome.gradients
        if outcome.rule is not None:
            FOUND.excepted[outcome.rule] += 1
        if outcome.compared == "values":
            FOUND.compared.add(op)

    try:
        compare()
    except BaseException as error:
        if op not in OPEN or not isinstance(error, (AssertionError, ExceptionGroup)):
            raise
        FOUND.open.add(op)
        pytest.xfail(OPEN[op])
