"""Compiles src/modtf/saved_model/protos/*.proto into the *_pb2.py and *_pb2.pyi beside them.

The compiler comes from grpcio-tools. Its version decides the oldest protobuf runtime that the code works with, so
it is pinned where this script is called and raised on purpose.

    python tools/generate_protos.py          # writes
    python tools/generate_protos.py --check  # exits with 1 where the committed code differs
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

SOURCE = Path(__file__).resolve().parents[1] / "src"
PROTOS = SOURCE / "modtf" / "saved_model" / "protos"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


def generate(target: Path) -> dict[str, Path]:
    """Compiles every .proto file below `target`, and returns the files it made by their names."""
    arguments = ["protoc", f"-I{SOURCE}", f"-I{WELL_KNOWN}", f"--python_out={target}", f"--pyi_out={target}"]
    if protoc.main(arguments + [str(path) for path in sorted(PROTOS.glob("*.proto"))]):
        raise SystemExit("protoc failed: its messages stand above.")
    return {path.name: path for path in (target / PROTOS.relative_to(SOURCE)).iterdir()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the code differs")
    check = parser.parse_args().check

    with tempfile.TemporaryDirectory() as scratch:
        made = generate(Path(scratch))
        committed = {path.name: path for path in PROTOS.glob("*_pb2.py*")}
        stale = sorted(
            name
            for name in made.keys() | committed.keys()
            if name not in made or name not in committed or made[name].read_bytes() != committed[name].read_bytes()
        )
        if check:
            for name in stale:
                print(f"{PROTOS / name} is not what the .proto files compile to: run {Path(__file__).name}")
            return 1 if stale else 0
        for name in stale:
            if name in made:
                shutil.copyfile(made[name], PROTOS / name)
            else:
                committed[name].unlink()
            print(f"{'wrote' if name in made else 'removed'} {PROTOS / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
