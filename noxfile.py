"""How modtf is run, checked, built and released.

`nox -l` lists the sessions; `nox -s NAME -- ARGS` runs one and hands it the arguments. Every session makes an
environment of its own, and installs into it the packages' wheels as users get them, never the source folders.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["tests"]

PACKAGES = ("core", "layers", "saved_model", "hub", "backend-jax")  # the folders in packages/
EVERYTHING = tuple(f"modtf-{name}" for name in PACKAGES)
SOURCES = [f"packages/{name}/src" for name in PACKAGES]
WHEELS = tempfile.TemporaryDirectory(prefix="modtf-wheels-")  # goes when nox ends

package = nox.parametrize("name", [nox.param(name, id=name) for name in PACKAGES])


# --- what the sessions share --------------------------------------------------------------------------------------


def install(session: nox.Session, *arguments: str) -> None:
    """`pip install`, where a modtf package means the checkout's wheel of it.

    The wheels are given as constraints: a sibling that a package does not declare stays out, and the declared
    version range has to admit the checkout's version.
    """
    session.install("--constraint", wheels(session), *arguments)


def wheels(session: nox.Session) -> str:
    """Builds every package's wheel, once for each run of nox, and returns a constraints file that names them."""
    constraints = Path(WHEELS.name, "constraints.txt")
    if not constraints.exists():
        for name in PACKAGES:
            session.run_install("uv", "build", "--quiet", "--wheel", "--out-dir", WHEELS.name, f"packages/{name}")
        found = sorted(Path(WHEELS.name).glob("*.whl"))
        constraints.write_text("".join(f"{wheel.name.split('-')[0]} @ {wheel.as_uri()}\n" for wheel in found))
    return str(constraints)


def run_tests(session: nox.Session, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Runs pytest in as many processes as there are cores, each computing with one thread."""
    session.install("pytest-xdist>=3.6")
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    session.run("pytest", "-q", "-n", "auto", *arguments, *session.posargs, env={**one_thread, **(env or {})})


# --- the main job -------------------------------------------------------------------------------------------------


@nox.session
def demo(session: nox.Session) -> None:
    """Train, save, serve, load and reuse a digit classifier; `-- --backend jax` does it on JAX."""
    backends = ["modtf-backend-jax"] if "jax" in " ".join(session.posargs) else []
    install(session, "modtf-hub[layers]", *backends, "--group", "demo")
    session.run("python", "examples/digits_reuse/main.py", *session.posargs, env={"MPLBACKEND": "Agg"})


# --- checks -------------------------------------------------------------------------------------------------------


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Everything that has to pass before a change is merged: runs the sessions it names."""
    for name in ("lint", "types"):
        session.notify(name, posargs=[])
    session.notify("protos", posargs=["--check"])
    for name in PACKAGES:
        session.notify(f"test_package({name})", posargs=[])
    for name in ("hub_size", "test_together", *(f"conformance({backend})" for backend in BACKENDS), "interop", "demo"):
        session.notify(name, posargs=[])


@nox.session
@package
def test_package(session: nox.Session, name: str) -> None:
    """Test one package's wheel in an environment that holds only what the package declares."""
    install(session, f"modtf-{name}", "--group", f"packages/{name}/pyproject.toml:test")
    run_tests(session, f"packages/{name}/tests")


@nox.session
def test_together(session: nox.Session) -> None:
    """Run the tests that find more to do with all packages installed, and the documentation's examples."""
    together = ("layers", "saved_model", "hub")  # core's own and the JAX backend's run the same when alone
    groups = [argument for name in together for argument in ("--group", f"packages/{name}/pyproject.toml:test")]
    install(session, *EVERYTHING, "modtf-core[image,scipy,strings]", *groups)
    for name in together:  # one at a time: each has its own settings and helpers
        run_tests(session, f"packages/{name}/tests")
    session.install("array-api-strict>=2.3")  # a page's example of a library to put a backend on
    run_tests(session, "tests/docs")


BACKENDS = {
    "numpy": [],
    "jax": ["modtf-backend-jax"],
    "toy": ["./examples/toy_backend"],
}


@nox.session
@nox.parametrize("backend", [nox.param(backend, id=backend) for backend in BACKENDS])
def conformance(session: nox.Session, backend: str) -> None:
    """Run the conformance suite, which any backend has to pass, against one backend."""
    install(session, "modtf-core[conformance]", *BACKENDS[backend])
    run_tests(session, "--pyargs", "modtf.core.conformance", "--backend", backend)


@nox.session
def interop(session: nox.Session) -> None:
    """Exchange models with TensorFlow in both directions and compare what they compute."""
    install(session, *EVERYTHING, "modtf-core[image,scipy,strings]", "--group", "interop")
    # Named one by one, so that the process which starts the others, and prints the reports, has their settings.
    reports = [str(settings.parent) for settings in sorted(Path("tests/interop").glob("*/conftest.py"))]
    run_tests(session, "tests/interop", *reports, env={"TF_CPP_MIN_LOG_LEVEL": "2"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damage models at random and load them: `-- --mutants 10000 --seed 0`; prints what came of it."""
    install(session, *EVERYTHING, "modtf-core[image,scipy,strings]")
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    session.run("python", "packages/saved_model/tests/fuzz.py", *session.posargs, env=one_thread)


@nox.session
def guides(session: nox.Session) -> None:
    """Run TensorFlow's own guides on modtf: `-- CHECKOUT`, a checkout of github.com/tensorflow/docs."""
    if not session.posargs or session.posargs[0].startswith("-"):
        session.error("where are the guides? nox -s guides -- CHECKOUT, a checkout of github.com/tensorflow/docs")
    install(session, *EVERYTHING, "modtf-core[image,scipy,strings]", "--group", "guides")
    session.run("python", "tests/guides/guides.py", *session.posargs, env={"OPENBLAS_NUM_THREADS": "1"})


@nox.session
def hub_size(session: nox.Session) -> None:
    """Check that modtf-hub, with all that it needs, works alone and takes under 120 MB installed."""
    install(session, "modtf-hub", "--compile-bytecode")
    session.run("python", "-c", "from modtf import core as tf; assert tf.hub.load and tf.saved_model.load")
    environment = Path(session.virtualenv.location)
    size = sum(file.stat().st_size for file in environment.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6
    session.log(f"modtf-hub with all that it needs: {size:.0f} MB installed")
    if size >= 120:
        session.error(f"modtf-hub takes {size:.0f} MB installed, and 120 MB is the limit: look for a new dependency")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the boundaries between the packages; `-- --fix` repairs what can be."""
    session.install("--group", "lint")
    if "--fix" in session.posargs:
        session.run("ruff", "check", "--fix")
        session.run("ruff", "format")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-logo", env={"PYTHONPATH": os.pathsep.join(SOURCES)})


@nox.session
def types(session: nox.Session) -> None:
    """Check the packages' type annotations with mypy."""
    install(session, *EVERYTHING, "modtf-core[conformance]", "--group", "types")
    session.run("mypy", *session.posargs)


@nox.session
def protos(session: nox.Session) -> None:
    """Regenerate the code for TensorFlow's protocol buffers; `-- --check` only compares."""
    session.install("--group", "protos")
    session.run("python", "packages/saved_model/tools/generate_protos.py", *session.posargs)


# --- documentation, figures, releases -----------------------------------------------------------------------------


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; `-- serve` shows it while you write."""
    install(session, *EVERYTHING, "--group", "docs")  # the table of ops asks the registry and the backends
    session.run("mkdocs", *(session.posargs or ["build", "--strict"]))


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure modtf beside TensorFlow and Keras on this machine."""
    install(session, *EVERYTHING, "--group", "benchmarks")
    session.run("python", "benchmarks/run.py", *session.posargs, env={"TF_CPP_MIN_LOG_LEVEL": "2"})


@nox.session
def build(session: nox.Session) -> None:
    """Build every package's wheel and sdist into dist/."""
    shutil.rmtree("dist", ignore_errors=True)
    session.install("twine")
    for name in PACKAGES:
        session.run("uv", "build", "--quiet", "--out-dir", "dist", f"packages/{name}")
    session.run("twine", "check", "--strict", *map(str, sorted(Path("dist").glob("modtf_*"))))


@nox.session
def release(session: nox.Session) -> None:
    """Check and build one package for PyPI: `-- NAME`; `-- NAME --upload` also uploads it."""
    name, *flags = session.posargs or [""]
    if name not in PACKAGES:
        session.error(f"which package? nox -s release -- NAME, where NAME is one of {', '.join(PACKAGES)}")
    version = tomllib.loads(Path("packages", name, "pyproject.toml").read_text())["project"]["version"]
    changelog = Path("packages", name, "CHANGELOG.md")
    if f"## [{version}] - 2" not in changelog.read_text():
        session.error(f"{changelog} has no dated entry for {version}: write '## [{version}] - YYYY-MM-DD'")
    if session.run("git", "status", "--porcelain", external=True, silent=True):
        session.error("the checkout has changes that are not committed: commit or remove them first")
    folder = Path(session.create_tmp())
    session.install("twine")
    session.run("uv", "build", "--out-dir", str(folder), f"packages/{name}")
    files = [str(file) for file in sorted(folder.glob("modtf_*"))]
    session.run("twine", "check", "--strict", *files)
    if "--upload" in flags:
        session.run("twine", "upload", *files)
        session.log(f"uploaded; now tag it: git tag {name}-{version} && git push --tags")
