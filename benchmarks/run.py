"""Measures modtf beside TensorFlow, Keras and JAX on this machine, and prints ratios.

    nox -s benchmarks                 everything
    nox -s benchmarks -- calls        only the cost of small calls
    nox -s benchmarks -- loops        only loops in functions, and their gradients
    nox -s benchmarks -- training     only training steps

Each library runs in a process of its own, one after the other, and that round is repeated; a figure is the best of all
rounds, since other work on the machine can only add to it. Ratios travel from machine to machine, microseconds do not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SUITES = {
    "import": ("numpy", "modtf", "jax", "tensorflow"),
    "calls": ("modtf-numpy", "modtf-jax", "tensorflow", "jax"),
    "loops": ("modtf-numpy", "modtf-jax", "tensorflow", "jax"),
    "training": ("modtf-numpy", "modtf-jax", "keras-jax", "keras-tensorflow"),
}
BASE = {"import": "tensorflow", "calls": "tensorflow", "loops": "tensorflow", "training": "keras-tensorflow"}


def measure(suite: str, library: str) -> dict[str, float]:
    """Runs one suite with one library; returns microseconds by case."""
    command = [sys.executable, str(HERE / f"{suite}_cases.py"), library]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}")
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", help=f"which of {', '.join(SUITES)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each library runs")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"no suite {sorted(unknown)}; there are {', '.join(SUITES)}")
    for suite in options.suites or SUITES:
        best: dict[str, dict[str, float]] = {library: {} for library in SUITES[suite]}
        for _ in range(options.rounds):
            for library, figures in best.items():
                for case, value in measure(suite, library).items():
                    figures[case] = min(value, figures.get(case, value))
        show(suite, best)


def show(suite: str, best: dict[str, dict[str, float]]) -> None:
    """Prints microseconds and, behind each, how many times as fast as the base library it is."""
    base = best[BASE[suite]]
    print(f"\n{suite}: microseconds (and how many times as fast as {BASE[suite]})")
    print(f"{'':34}" + "".join(f"{library:>24}" for library in best))
    for case in dict.fromkeys(case for figures in best.values() for case in figures):
        cells = []
        for figures in best.values():
            value = figures.get(case)
            ratio = f" ({base[case] / value:6.2f}x)" if value and case in base else " " * 10
            cells.append(f"{'-':>24}" if value is None else f"{value:14.1f}{ratio}")
        print(f"{case:34}" + "".join(cells))


if __name__ == "__main__":
    main()
