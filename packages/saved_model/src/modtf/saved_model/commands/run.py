"""`modtf saved-model run`: a signature, on inputs from files or JSON."""

from __future__ import annotations

import contextlib
import difflib
import json
from argparse import Namespace
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import CommandError

from ..loading import load
from ..signatures import DEFAULT_KEY
from .opened import add_model_arguments, command_errors, tags_of
from .text import shape_text, table
from .values import read_value, to_json, write_archive


def add_to(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "run",
        help="run a signature",
        description="Runs a signature of a model and prints what it gives, or writes that to a file.",
    )
    add_model_arguments(parser)
    parser.add_argument(
        "--signature", metavar="NAME", help=f"the signature; {DEFAULT_KEY}, or the only one, by default"
    )
    parser.add_argument(
        "--inputs",
        metavar="NAME=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="FILE.npy, FILE.npz, FILE.npz:KEY or JSON, such as 'x=[[1, 2]]', for each input",
    )
    parser.add_argument("--outputs", metavar="FILE.npz", help="write the outputs to a file")
    parser.add_argument("--backend", metavar="NAME", help="the backend to compute with")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> None:
    """Runs the command."""
    try:
        backend = tf.backend(arguments.backend) if arguments.backend else contextlib.nullcontext()
        with command_errors(), backend:
            outputs = _outputs(arguments)
    except (ValueError, RuntimeError, ImportError) as error:  # of the backend's choice; or of an op, for other inputs
        raise CommandError(str(error)) from error
    if arguments.outputs:
        write_archive(arguments.outputs, outputs)
    if arguments.json:
        facts = [
            {"name": name, "dtype": tf.as_dtype(array.dtype).name, "shape": list(array.shape)}
            | ({} if arguments.outputs else {"value": to_json(array)})
            for name, array in outputs.items()
        ]
        print(json.dumps({"outputs": facts}, indent=None if not arguments.outputs else 2))
    elif arguments.outputs:
        rows = [(name, tf.as_dtype(array.dtype).name, shape_text(array.shape)) for name, array in outputs.items()]
        print("\n".join([arguments.outputs, *table(rows)]))
    else:
        print("\n".join(_shown(name, array) for name, array in outputs.items()))


def _outputs(arguments: Namespace) -> dict[str, np.ndarray]:
    model = load(arguments.folder, tags_of(arguments))
    name, signature = _choose(getattr(model, "signatures", {}), arguments.signature)
    specs = dict(signature.structured_input_signature[1])
    given = _given(arguments.inputs)
    unknown = [key for key in given if key not in specs]
    if unknown:
        lower = {key.lower(): key for key in specs}
        near = difflib.get_close_matches(unknown[0].lower(), lower, 1)
        hint = f" Did you mean {lower[near[0]]!r}?" if near else ""
        raise CommandError(f"The signature {name!r} has no input {unknown[0]!r}.{hint} It takes: {_listed(specs)}.")
    missing = [key for key in specs if key not in given]
    if missing:
        raise CommandError(
            f"The signature {name!r} takes {_listed({key: specs[key] for key in missing})}, which is not given; "
            f"add --inputs {missing[0]}=..."
        )
    tensors = {}
    for key, text in given.items():
        if not isinstance(specs[key], tf.TensorSpec):
            raise CommandError(f"The input {key!r} is a {specs[key]!r}, which cannot be given on the command line.")
        tensors[key] = read_value(text, specs[key], f"The input {key!r}")
    results = signature(**tensors)
    return {key: np.asarray(tensor) for output, value in results.items() for key, tensor in _components(output, value)}


def _choose(signatures: Any, wanted: str | None) -> tuple[str, Any]:
    there = ", ".join(map(repr, signatures)) or "none"
    if wanted is None:
        if DEFAULT_KEY not in signatures and len(signatures) != 1:
            raise CommandError(f"Choose a signature by --signature; the model has: {there}.")
        wanted = DEFAULT_KEY if DEFAULT_KEY in signatures else next(iter(signatures))
    if wanted not in signatures:
        raise CommandError(f"The model has no signature {wanted!r}, but: {there}.")
    return wanted, signatures[wanted]


def _given(inputs: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for item in inputs:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise CommandError(f"--inputs: {item!r} is not of the form NAME=VALUE.")
        if name in given:
            raise CommandError(f"--inputs: {name!r} is given twice.")
        given[name] = value
    return given


def _listed(specs: dict[str, Any]) -> str:
    return (
        ", ".join(
            f"{key!r} ({spec.dtype.name} {shape_text(spec.shape.dims)})"
            if isinstance(spec, tf.TensorSpec)
            else f"{key!r}"
            for key, spec in specs.items()
        )
        or "nothing"
    )


def _components(name: str, value: Any) -> list[tuple[str, Any]]:
    """A tensor, or the parts of a composite one, under names such as "output_0.row_splits"."""
    if isinstance(value, tf.RaggedTensor):
        splits = [(f"{name}.row_splits_{place}", part) for place, part in enumerate(value.nested_row_splits)]
        return [(f"{name}.flat_values", value.flat_values), *splits]
    if isinstance(value, tf.SparseTensor):
        return [(f"{name}.{part}", getattr(value, part)) for part in ("indices", "values", "dense_shape")]
    return [(name, value)]


def _shown(name: str, array: np.ndarray) -> str:
    if array.dtype == object:
        text = np.array2string(_text_array(array), threshold=200, edgeitems=3, separator=", ", max_line_width=100)
    else:
        text = np.array2string(
            array, threshold=200, edgeitems=3, separator=", ", precision=6, suppress_small=True, max_line_width=100
        )
    head = f"{name}: {tf.as_dtype(array.dtype).name} {shape_text(array.shape)}"
    return f"{head} = {text}" if array.ndim == 0 else f"{head}\n{text}"


def _text_array(array: np.ndarray) -> np.ndarray:
    return np.array([item.decode("utf-8", "backslashreplace") for item in array.reshape(-1)] + [""], object)[
        :-1
    ].reshape(array.shape)
