"""How many cells of TensorFlow's own guides run with modtf in TensorFlow's place.

    python tests/guides/guides.py CHECKOUT [--tensorflow PYTHON] [--only NAME ...]

CHECKOUT is one of the repository github.com/tensorflow/docs. Every code cell is run on TensorFlow first; those that run
there are run on modtf, on NumPy, both without a network: what cells download is not always there. Fails if fewer than 97
of 100 of all these run, if one fails for which `WHY` gives no reason, or if one runs for which it does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from run_cells import code_cells

GUIDES = (
    "basics", "tensor", "variable", "autodiff", "advanced_autodiff", "intro_to_graphs", "intro_to_modules", "function",
    "random_numbers", "tensor_slicing", "ragged_tensor", "core/matrix_core", "core/mlp_core", "core/optimizers_core",
    "core/logistic_regression_core",
)  # fmt: skip
WANTED = 0.97

KERAS_FILES = "modtf.layers neither reads nor writes .keras files: models are saved with tf.saved_model."
SEQUENCES = "modtf.layers has no layers for sequences, such as Embedding and LSTM."
WHY = {
    ("basics", "new_model.save('./my_new_model.keras')"): KERAS_FILES,
    ("intro_to_modules", "tf.summary.trace_on(graph=True)"): "modtf writes no summaries for TensorBoard.",
    ("intro_to_modules", 'my_sequential_model.save("exname_of_file.keras")'): KERAS_FILES,
    ("intro_to_modules", 'load_model("exname_of_file.keras")'): KERAS_FILES,
    ("intro_to_modules", "reconstructed_model(tf.constant"): "Uses the model that the cell before could not load.",
    ("function", "  train_step(w, x, y, opt2)"): (
        "Expects TensorFlow to refuse a second optimizer in a traced function; modtf's optimizers make their variables "
        "outside of what is traced, so it works."
    ),
    ("ragged_tensor", "tf.keras.layers.Embedding(hash_buckets"): SEQUENCES,
    ("ragged_tensor", "print(keras_model.predict(hashed_words"): "Uses the model that a cell before could not make.",
    ("ragged_tensor", 'keras_model.save(keras_module_path+"/my_model.keras")'): (
        f"Uses the model that a cell before could not make. {KERAS_FILES}"
    ),
}  # fmt: skip
"""Why cells fail that do, by guide and by words that stand in that cell and in no other of the guide."""

NOT_COUNTED = {
    "intro_to_modules": "which use what Keras 3 no longer has",
    "ragged_tensor": "which is IPython's syntax",
    "core/matrix_core": "which need a picture from the network",
    "core/mlp_core": "which need MNIST, which tensorflow_datasets downloads",
    "core/logistic_regression_core": "which need a table from the network",
}
"""What the cells need that fail on TensorFlow, where there are any, and those that use what they make."""


def outcomes(python: str, library: str, notebook: Path) -> list[str | None]:
    """What each cell of a notebook ended with: `None`, or an error."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "MODTF_BACKEND": "numpy", "MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    script = Path(__file__).with_name("run_cells.py")
    # A process of its own, so that no notebook leaves anything behind.
    result = subprocess.run(
        [python, str(script), library, str(notebook)], capture_output=True, text=True, env=environment, check=False
    )
    if result.returncode:
        raise SystemExit(f"{library} ended while running {notebook.name}:\n{result.stderr[-2000:]}")
    found: list[str | None] = json.loads(result.stdout.strip().splitlines()[-1])[str(notebook)]
    return found


def reason(guide: str, cell: str) -> str | None:
    """Why this cell is known to fail."""
    return next((why for (name, words), why in WHY.items() if name == guide and words in cell), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--tensorflow", default=sys.executable, help="a Python that has TensorFlow")
    parser.add_argument("--only", nargs="+", default=GUIDES, metavar="NAME", choices=GUIDES)
    options = parser.parse_args()
    folder = options.checkout / "site" / "en" / "guide"
    notebooks = {name: folder / f"{name}.ipynb" for name in options.only}
    missing = [str(path) for path in notebooks.values() if not path.exists()]
    if missing:
        raise SystemExit(f"{options.checkout} is no checkout of github.com/tensorflow/docs: {missing[0]} is missing.")

    total = passed = 0
    uncounted: dict[str, int] = {}
    failures: list[str] = []
    wrong: list[str] = []
    print(f"{'guide':30} cells  on TensorFlow  on modtf   percent")
    for name, notebook in notebooks.items():
        cells = code_cells(notebook)
        theirs = outcomes(options.tensorflow, "tensorflow", notebook)
        ours = outcomes(sys.executable, "modtf", notebook)
        run = [number for number, cell in enumerate(cells) if cell and theirs[number] is None]
        good = sum(ours[number] is None for number in run)
        total, passed = total + len(run), passed + good
        count = sum(map(bool, cells))
        if count > len(run):
            uncounted[name] = count - len(run)
        print(f"{name:30} {count:5}  {len(run):13}  {good:8}  {good / len(run):8.1%}", flush=True)
        for number in run:
            why = reason(name, cells[number])
            if ours[number] is not None:
                failures.append(f"{name}:{number}  {ours[number]}\n    {why or 'No reason is given for it.'}")
            if ours[number] is not None and why is None:
                wrong.append(f"{name}:{number} fails without a reason")
            if ours[number] is None and why is not None:
                wrong.append(f"{name}:{number} runs, so no reason is due")
    print(f"{'all':30} {'':5}  {total:13}  {passed:8}  {passed / total:8.1%}")

    print("\nNot counted, because they fail on TensorFlow without a network:")
    for name, count in uncounted.items():
        print(f"  {name}: {count}, {NOT_COUNTED.get(name, 'for a reason that is not known')}")
    print("\nFailing on modtf:" if failures else "\nNone fails on modtf.")
    for failure in failures:
        print(f"  {failure}")
    if options.only == GUIDES and passed < WANTED * total:
        wrong.append(f"{passed / total:.1%} of the cells run, and {WANTED:.0%} have to")
    for fault in wrong:
        print(f"WRONG: {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
