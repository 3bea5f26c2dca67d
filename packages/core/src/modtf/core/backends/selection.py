"""Which backend is used: finding installed ones, loading one by name, the process's default."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from modtf.core.backends.contract import CONTRACT_VERSION, Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.entry_points import installed

GROUP = "modtf.backends"
ENVIRONMENT_VARIABLE = "MODTF_BACKEND"

_loaded: dict[str, Backend] = {"numpy": NUMPY}
_lock = threading.Lock()


def list_backends() -> list[str]:
    """Returns the names of the installed backends, without importing them."""
    return sorted({"numpy", *(entry.name for entry in installed(GROUP))})


def get_backend(name: str) -> Backend:
    """Returns the backend of that name, importing its plugin when it is first asked for.

    Raises:
        ValueError: None is installed under that name.
        RuntimeError: It was written for another version of the backend contract.
    """
    with _lock:
        found = _loaded.get(name)
        if found is not None:
            return found
        entries = [entry for entry in installed(GROUP) if entry.name == name]
        if not entries:
            raise ValueError(
                f"There is no backend {name!r}. Installed: {', '.join(list_backends())}. "
                f"Install its package, e.g. `pip install modtf-backend-{name}`."
            )
        backend = entries[0].load()()
        check_contract(backend, entries[0].dist.name if entries[0].dist else entries[0].value)
        _loaded[name] = backend
        return backend


def check_contract(backend: Backend, distribution: str) -> None:
    """Raises RuntimeError if the backend was written for another version of the contract."""
    theirs = getattr(backend, "contract_version", None)
    if theirs != CONTRACT_VERSION:
        older = f"pip install --upgrade {distribution}"
        newer = "pip install --upgrade modtf-core"
        command = newer if isinstance(theirs, int) and theirs > CONTRACT_VERSION else older
        raise RuntimeError(
            f"The backend {getattr(backend, 'name', backend)!r} of {distribution} was written for version {theirs} of "
            f"the backend contract, but modtf-core speaks version {CONTRACT_VERSION}. Run `{command}`."
        )


def default_backend() -> Backend:
    """Returns the current thread's backend, resolving the process's default when it is first needed."""
    context = contexts.current()
    if context.backend is None:
        if contexts.PROCESS.backend is None:
            contexts.PROCESS.backend = get_backend(os.environ.get(ENVIRONMENT_VARIABLE) or "numpy")
        context.backend = contexts.PROCESS.backend
    return context.backend


def set_backend(name: str) -> None:
    """Makes a backend the one for the whole process (`tf.config.set_backend`).

    Raises:
        ValueError: None is installed under that name.
        RuntimeError: It was written for another version of the backend contract.
    """
    contexts.PROCESS.backend = contexts.current().backend = get_backend(name)


@contextlib.contextmanager
def backend(name: str) -> Iterator[Backend]:
    """`with tf.backend("jax"):` computes what is inside, in this thread, with that backend.

    Raises:
        ValueError: None is installed under that name.
        RuntimeError: It was written for another version of the backend contract.
    """
    chosen = get_backend(name)
    with contexts.scoped(backend=chosen):
        yield chosen
