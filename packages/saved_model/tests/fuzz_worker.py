"""One try of a damaged model: it is loaded, looked at and called, in a process of its own with little memory and time."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fuzz_corpus import Files, restore
from fuzz_mutations import LINK

from modtf import core as tf
from modtf.core.command import main
from modtf.saved_model import SavedModelError, load, train

SECONDS = 5
"""How long a stage may compute."""
MEGABYTES = 100
"""How much memory loading may take more than before."""
ADDRESS_SPACE = 1 << 30
"""How much a process may take in all, more than before."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_CHANGES = {
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod", "shutil.rmtree",
    "os.system", "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "socket.connect",
}  # fmt: skip


class Outcome(NamedTuple):
    """What came of a try.

    Attributes:
        stage: how far it got: "loaded", "graphs made", "called"; or what it failed at.
        error: the kind of the error, if there was one.
        finding: what is wrong with that, if something is.
        message: the message of the error.
    """

    stage: str
    error: str = ""
    finding: str = ""
    message: str = ""


class OutOfTime(BaseException):
    """A stage took too long."""


def try_files(files: Files, checkpoint: str, folder: Path) -> Outcome:
    """Writes files into a new folder, and tries what they are."""
    _write_files(files, folder)
    return _try_checkpoint(folder, checkpoint) if checkpoint else _try_model(folder)


def _write_files(files: Files, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        target = data.removeprefix(LINK)
        if target and target != data and b"\0" not in target:  # a later change may have left no name
            path.symlink_to(os.fsdecode(target))
        else:
            path.write_bytes(data)


def try_alone(files: Files, checkpoint: str, folder: Path, pipe: int) -> None:
    """Tries files in this process, which ends here; the outcome goes into a pipe."""
    code = 1
    try:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESS_SPACE,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        warnings.simplefilter("ignore")
        _write_files(files, folder)
        writes = _watch_writes(folder)
        outcome = _try_checkpoint(folder, checkpoint) if checkpoint else _try_model(folder)
        if writes and not outcome.finding:
            outcome = outcome._replace(finding="writes elsewhere", message=str(writes[:3]))
        os.write(pipe, json.dumps(outcome).encode())
        code = 0
    except BaseException:
        os.write(pipe, json.dumps(Outcome("fuzz", "", "the fuzz program failed", traceback.format_exc())).encode())
    finally:
        os._exit(code)


def _try_model(folder: Path) -> Outcome:
    loaded: Any = None

    def load_it() -> None:
        nonlocal loaded
        tags = ["serve"] if "version1_references" in str(folder) else None
        loaded = load(folder, tags)

    outcome = _stage("load", load_it, folder)
    for command in (["show", "--all"], ["validate"]):
        shown = _stage(command[0], lambda command=command: _run_command(command, folder), folder)
        if shown is not None:
            return shown
    if outcome is not None:
        return outcome
    functions = _functions(loaded)
    outcome = _stage("describe", lambda: _describe(loaded, functions), folder)
    if outcome is not None:
        return outcome
    failed: Outcome | None = None
    for name, function in functions:
        outcome = _stage("make graphs", lambda function=function: function.graph, folder)
        if outcome is None:
            outcome = _stage("call", lambda function=function: _call(function), folder)
        if outcome is not None:
            if outcome.finding:
                return outcome._replace(message=f"{name}: {outcome.message}")
            failed = failed or outcome
    return failed or Outcome("called")


def _run_command(command: list[str], folder: Path) -> None:
    """Runs `modtf saved-model`, which writes what is wrong and exits with a status."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as written:
        status = main(["saved-model", *command, str(folder)])
    if status not in (0, 1) or "Traceback" in written.getvalue():
        raise RuntimeError(f"exits with status {status}: {written.getvalue()}")


def _try_checkpoint(folder: Path, checkpoint: str) -> Outcome:
    prefix = str(folder / checkpoint)

    def read() -> None:
        for name, _ in train.list_variables(prefix):
            train.load_variable(prefix, name)

    outcome = _stage("load", read, folder)
    if checkpoint == "partitioned":
        return outcome or Outcome("called")
    again = _stage("restore", lambda: restore(prefix), folder)
    if again is not None and again.finding:
        return again
    latest = _stage("latest", lambda: train.latest_checkpoint(folder), folder)
    if latest is not None and latest.finding:
        return latest
    return outcome or again or Outcome("called")


def _functions(loaded: Any) -> list[tuple[str, Any]]:
    """The functions of a model, signatures first, each once."""
    found: list[tuple[str, Any]] = []
    signatures = getattr(loaded, "signatures", None)
    if hasattr(signatures, "items"):
        found += [(f"signature {name!r}", function) for name, function in signatures.items()]
    for name, child in (
        sorted(vars(loaded).items(), key=lambda item: str(item[0])) if hasattr(loaded, "__dict__") else ()
    ):
        found += [(name, concrete) for concrete in getattr(child, "concrete_functions", ())]
    return found[:12]


def _describe(loaded: Any, functions: list[tuple[str, Any]]) -> None:
    for _, function in functions:
        repr((function, function.structured_input_signature, function.structured_outputs))
    for attribute in ("variables", "trainable_variables"):
        found = getattr(loaded, attribute, None)
        for variable in found if isinstance(found, (list, tuple)) else ():
            repr(variable)


def _call(function: Any) -> None:
    leaves = tf.nest.flatten(function.structured_input_signature, expand_composites=True)
    specs = [leaf for leaf in leaves if isinstance(leaf, tf.TensorSpec)]
    function.call_flat([_zeros(spec) for spec in specs])


def _zeros(spec: tf.TensorSpec) -> Any:
    dims = [1] if spec.shape.dims is None else [2 if size is None else min(size, 100) for size in spec.shape.dims]
    if spec.dtype is tf.string:
        return tf.constant(np.full(dims, b"", object))
    return tf.zeros(dims, spec.dtype)


def _stage(name: str, run: Callable[[], Any], folder: Path) -> Outcome | None:
    """Runs a stage; returns None if it went well."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _limit(SECONDS if name != "call" else 2)
    try:
        run()
    except OutOfTime:
        where = traceback.format_exc()
        _limit(0)
        return Outcome(name, "OutOfTime", "" if name == "call" else "hangs", _short(where))
    except Exception as error:
        _limit(0)
        return Outcome(name, type(error).__name__, _fault(name, error, folder), _short(str(error), error))
    finally:
        _limit(0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if name != "call" and grown > MEGABYTES:
        return Outcome(name, "", f"takes memory: {grown:.0f} MB", "")
    return None


def _fault(stage: str, error: Exception, folder: Path) -> str:
    """What is wrong with an error, if something is."""
    if isinstance(error, SavedModelError):
        text = str(error)
        if str(folder) not in text and stage != "call":
            return "names no file"
        return "" if len(text) < 4000 else "a very long message"
    if stage == "call" and isinstance(error, (tf.errors.OpError, MemoryError)):
        return ""
    return "another error"


def _short(text: str, error: Exception | None = None) -> str:
    if error is not None and not isinstance(error, SavedModelError):
        text += "".join(traceback.format_tb(error.__traceback__)[-4:])
    return text[-1500:] if error is None else text[:3000]


def _limit(seconds: float) -> None:
    def stop(number: int, frame: Any) -> None:
        raise OutOfTime

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _watch_writes(folder: Path) -> list[Any]:
    """From now on gathers what is written elsewhere than in a folder."""
    found: list[Any] = []
    inside = str(folder)

    def hook(event: str, arguments: Any) -> None:
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & _WRITING) or isinstance(path, int):
                return
        elif event not in _CHANGES:
            return
        path = os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes)) else str(arguments[0])
        if not path.startswith(inside):
            found.append((event, path))

    sys.addaudithook(hook)
    return found
