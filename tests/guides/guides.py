"""How many cells of TensorFlow's own guides run with modtf in TensorFlow's place.

    python tests/guides/guides.py CHECKOUT [--tensorflow PYTHON] [--only NAME ...]

CHECKOUT is one of the repository github.com/tensorflow/docs. Every code cell is run on TensorFlow first; those that run
there are run on modtf, on NumPy. Fails if fewer than 97 of 100 of them do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

GUIDES = (
    "basics", "tensor", "variable", "autodiff", "advanced_autodiff", "intro_to_graphs", "intro_to_modules", "function",
    "random_numbers", "tensor_slicing", "ragged_tensor", "core/matrix_core", "core/mlp_core", "core/optimizers_core",
    "core/logistic_regression_core",
)  # fmt: skip
WANTED = 0.97
WHY: dict[str, str] = {}
"""Why cells that fail do, by `guide:cell`."""


def outcomes(python: str, library: str, notebooks: list[Path]) -> dict[str, list[str | None]]:
    """What each cell of each notebook ended with: `None`, or an error."""
    found: dict[str, list[str | None]] = {}
    environment = {**os.environ, "MODTF_BACKEND": "numpy", "MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    for notebook in notebooks:  # a process each, so that none leaves anything behind
        script = Path(__file__).with_name("run_cells.py")
        result = subprocess.run(
            [python, str(script), library, str(notebook)], capture_output=True, text=True, env=environment, check=False
        )
        if result.returncode:
            raise SystemExit(f"{library} ended while running {notebook.name}:\n{result.stderr[-2000:]}")
        found.update(json.loads(result.stdout.strip().splitlines()[-1]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--tensorflow", default=sys.executable, help="a Python that has TensorFlow")
    parser.add_argument("--only", nargs="+", default=GUIDES)
    options = parser.parse_args()
    folder = options.checkout / "site" / "en" / "guide"
    notebooks = [folder / f"{name}.ipynb" for name in options.only]
    missing = [str(path) for path in notebooks if not path.exists()]
    if missing:
        raise SystemExit(f"{options.checkout} is no checkout of github.com/tensorflow/docs: {missing[0]} is missing.")
    theirs = outcomes(options.tensorflow, "tensorflow", notebooks)
    ours = outcomes(sys.executable, "modtf", notebooks)
    total = passed = 0
    failures = []
    print(f"{'guide':32} cells  on TensorFlow  on modtf")
    for name, notebook in zip(options.only, notebooks, strict=True):
        pairs = list(zip(theirs[str(notebook)], ours[str(notebook)], strict=True))
        run = [mine for other, mine in pairs if other is None]
        good = sum(mine is None for mine in run)
        print(f"{name:32} {len(pairs):5}  {len(run):13}  {good:8}")
        total, passed = total + len(run), passed + good
        failures += [
            (f"{name}:{number}", mine)
            for number, (other, mine) in enumerate(pairs)
            if other is None and mine is not None
        ]
    print(f"{'all':32} {'':5}  {total:13}  {passed:8}  = {passed / total:.1%}")
    for where, error in failures:
        print(f"  {where}: {error}" + (f"\n      {WHY[where]}" if where in WHY else ""))
    return 0 if passed >= WANTED * total else 1


if __name__ == "__main__":
    sys.exit(main())
