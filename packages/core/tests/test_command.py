"""The `modtf` command: what is installed, what packages add to it, and what is said of mistakes."""

import json
import subprocess
import sys
from importlib import metadata

import pytest

from modtf.core import command, contracts, siblings
from modtf.core.backends import selection
from modtf.core.command import main
from modtf.core.engine import plugins


@pytest.fixture
def plugin(monkeypatch):
    """Makes an object the only plugin."""

    class Entry:
        name, value, dist = "greeting", "tests:greeting", None

    def install(found):
        entry = Entry()
        entry.load = lambda: found
        monkeypatch.setattr(plugins, "installed", lambda group: [entry])
        plugins.plugin_manager.cache_clear()

    yield install
    plugins.plugin_manager.cache_clear()


class Greeting:
    @staticmethod
    @contracts.hookimpl
    def modtf_commands(commands):
        parser = commands.add_parser("greet", help="say hello")
        parser.add_argument("name")
        parser.set_defaults(run=Greeting.run)

    @staticmethod
    def run(arguments):
        if arguments.name == "nobody":
            raise contracts.CommandError("There is nobody\nto greet.")
        print(f"hello {arguments.name}")
        return 3 if arguments.name == "three" else None


def usage_error(capsys, *arguments):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert len(written.err.splitlines()) == 1
    return written.err


def test_versions_of_installed_packages(capsys):
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"modtf-core {metadata.version('modtf-core')}" in lines
    assert lines == sorted(set(lines))


def test_help_lists_the_commands(capsys, plugin):
    plugin(Greeting)
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0
    written = capsys.readouterr().out
    assert "greet" in written
    assert "backends" in written
    assert "say hello" in written


def test_backends(capsys):
    assert main(["backends"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == selection.list_backends()
    (numpy,) = [line for line in lines if line.startswith("numpy ")]
    assert "available: cpu:0" in numpy
    assert main(["backends", "--json"]) == 0
    rows = {row.pop("name"): row for row in json.loads(capsys.readouterr().out)}
    version = metadata.version("modtf-core")
    assert rows["numpy"] == {
        "default": True, "package": f"modtf-core {version}", "available": True, "devices": ["cpu:0"], "reason": "",
    }  # fmt: skip


def test_a_backend_that_does_not_work_is_listed_with_the_reason(capsys, monkeypatch):
    def fail(name):
        raise ImportError("libabsent.so: cannot open\nshared object file")

    monkeypatch.setattr(selection, "get_backend", fail)
    monkeypatch.setattr(selection, "list_backends", lambda: ["broken"])
    monkeypatch.setenv("MODTF_BACKEND", "broken")
    assert main(["backends"]) == 0
    line = capsys.readouterr().out.strip()
    assert line.endswith("not available: libabsent.so: cannot open shared object file (default)")


def test_a_plugin_adds_a_command(capsys, plugin):
    plugin(Greeting)
    assert main(["greet", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"
    assert main(["greet", "three"]) == 3


def test_a_failure_is_one_line(capsys, plugin):
    plugin(Greeting)
    assert main(["greet", "nobody"]) == 1
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "modtf: There is nobody to greet.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "modtf: the following arguments are required: COMMAND"),
        (["nonesuch"], "'nonesuch'"),
        (["greet"], "modtf greet: the following arguments are required: name"),
        (["backends", "--nonesuch"], "--nonesuch"),
    ],
)
def test_wrong_usage_is_one_line(capsys, plugin, arguments, said):
    plugin(Greeting)
    assert said in usage_error(capsys, *arguments)


def test_a_plugin_that_cannot_be_loaded_is_named(capsys, plugin):
    old = Greeting()
    old.MODTF_PLUGIN_CONTRACT = 0
    plugin(old)
    assert main(["backends"]) == 1
    error = capsys.readouterr().err
    assert "'greeting'" in error
    assert "pip install --upgrade" in error


def test_the_package_of_a_command_is_named(capsys, monkeypatch):
    monkeypatch.setattr(siblings, "available", list)
    assert main(["saved-model", "show", "model"]) == 1
    assert "pip install modtf-saved-model" in capsys.readouterr().err


def test_interrupted(monkeypatch, plugin):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run_backends", interrupt)
    assert main(["backends"]) == 130


def test_as_a_process():
    done = subprocess.run([sys.executable, "-m", "modtf.core", "--version"], capture_output=True, text=True, check=True)
    assert f"modtf-core {metadata.version('modtf-core')}" in done.stdout
    failed = subprocess.run(
        [sys.executable, "-m", "modtf.core", "nonesuch"], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 2
    assert len(failed.stderr.splitlines()) == 1


def test_output_that_nobody_reads():
    shell = f"{sys.executable} -m modtf.core backends --json | true"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {shell}"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_importing_core_does_not_import_the_command():
    code = "import sys; import modtf.core; print([name for name in ('argparse', 'modtf.core.command') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_script_is_installed():
    (script,) = metadata.entry_points(group="console_scripts", name="modtf")
    assert script.load() is main
