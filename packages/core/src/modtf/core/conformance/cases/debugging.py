"""Checks that pass their input on."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, REALS, some, text

case("CheckNumericsV2", some(2, 3), dtypes=f"{FLOATS} float16", message="here")
case("CheckNumericsV2", some(0), dtypes="float32", smooth=False, message="here")
for _values in ([1.0, np.nan], [np.inf], [-np.inf]):
    mistake("CheckNumericsV2", np.array(_values, np.float32), told_by="values", message="here")

case("Print", some(2), [some(3, dtype="int32"), text(b"a")], dtypes=REALS, message="Printed by the conformance suite: ")
case("Print", some(), [], dtypes="float32")
