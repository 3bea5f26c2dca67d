"""Damages models at random and loads them: `python fuzz.py --mutants 10000 --seed 0`, or `nox -s fuzz -- ...`.

Every mutant is tried in a process of its own. What may come of it is success or a SavedModelError that names the file; of a
call, also the errors that ops raise. Anything else is a finding: another error, a crash, a hang, much memory, a file that is
written elsewhere. A finding is shown with its number, by which `--only NUMBER --keep FOLDER` makes it again.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fuzz_corpus import Sample, make_corpus, warm_up
from fuzz_mutations import mutate
from fuzz_worker import Outcome, try_alone

_PATIENCE = 120
"""After how many seconds a process is ended which its own limit did not stop; on a busy machine these pass quickly."""


def main() -> int:
    """Runs the program; returns 1 if there are findings."""
    parser = argparse.ArgumentParser(description="Loads models that were damaged at random.")
    parser.add_argument("--mutants", type=int, default=10_000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="other seeds make other mutants")
    parser.add_argument("--only", type=int, help="makes the mutant of this number alone")
    parser.add_argument("--keep", type=Path, help="the folder to leave that mutant's files in")
    parser.add_argument("--all", action="store_true", help="shows every mutant's outcome")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at the same time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        os.chdir(scratch)
        samples = make_corpus(Path(scratch))
        if arguments.only is not None:
            files, sample, done = make_mutant(samples, arguments.seed, arguments.only)
            folder = arguments.keep or Path(scratch, "mutant", sample.name)
            print(f"{sample.name}: {done}")
            results = list(_run([(arguments.only, sample, files, done)], 1, lambda number, sample: folder, keep=True))
        else:
            warm_up(samples, Path(scratch))
            mutants = (_mutant(samples, arguments.seed, number) for number in range(arguments.mutants))
            results = list(
                _run(mutants, arguments.jobs, lambda number, sample: Path(scratch, str(number), sample.name))
            )
    if arguments.all:
        for number, name, done, outcome in sorted(results):
            print(
                f"{number} {name}, {done}: {outcome.stage}: {outcome.error}: {outcome.message.partition(name)[2][:300]}"
            )
    findings = _report(results, arguments.seed)
    return 1 if findings else 0


def make_mutant(samples: list[Sample], seed: int, number: int) -> tuple[dict[str, bytes], Sample, str]:
    """Returns the files of a mutant, what it is a mutant of, and what was done."""
    rng = random.Random(f"{seed}/{number}")
    sample = rng.choice(samples)
    files, done = mutate(sample.files, rng)
    return files, sample, done


def _mutant(samples: list[Sample], seed: int, number: int) -> tuple[int, Sample, dict[str, bytes], str]:
    files, sample, done = make_mutant(samples, seed, number)
    return number, sample, files, done


def _run(mutants: Any, jobs: int, place: Any, keep: bool = False) -> Any:
    """Tries mutants, some at the same time; yields (number, sample's name, what was done, outcome)."""
    running: dict[int, tuple[Any, int, float, Path]] = {}
    left = iter(mutants)
    more = True
    while more or running:
        while more and len(running) < jobs:
            mutant = next(left, None)
            more = mutant is not None
            if mutant is not None:
                number, sample, files, _ = mutant
                folder = place(number, sample)
                reading, writing = os.pipe()
                sys.stdout.flush()
                process = os.fork()
                if not process:
                    os.close(reading)
                    try_alone(files, sample.checkpoint, folder, writing)
                os.close(writing)
                running[reading] = (mutant, process, time.monotonic(), folder)
        ready, _, _ = select.select(list(running), [], [], 1.0)
        late = [pipe for pipe, (_, _, start, _) in running.items() if time.monotonic() - start > _PATIENCE]
        for pipe in {*ready, *late}:
            (number, sample, _, done), process, _, folder = running.pop(pipe)
            if pipe not in ready:
                os.kill(process, signal.SIGKILL)
            data = b"".join(iter(lambda pipe=pipe: os.read(pipe, 1 << 16), b""))
            os.close(pipe)
            _, status = os.waitpid(process, 0)
            if data:
                outcome = Outcome(*json.loads(data))
            elif pipe not in ready:
                outcome = Outcome("killed", "", "hangs, and does not notice the limit")
            else:
                outcome = Outcome("crash", "", f"crashes: {os.waitstatus_to_exitcode(status)}")
            if not keep:
                shutil.rmtree(folder.parent, ignore_errors=True)
            yield number, sample.name, done, outcome


def _report(results: list[tuple[int, str, str, Outcome]], seed: int) -> int:
    findings = sorted([item for item in results if item[3].finding], key=lambda item: item[0])
    for number, name, done, outcome in findings:
        print(f"--- seed {seed}, mutant {number}: {name}, {done}: {outcome.stage}: {outcome.finding}, {outcome.error}")
        print(outcome.message)
    table: collections.Counter[tuple[str, str]] = collections.Counter()
    for _, _, _, outcome in results:
        table[outcome.stage, outcome.finding.partition(":")[0] or outcome.error or "no error"] += 1
    print(f"{'stage':<14}{'outcome':<28}{'mutants':>8}")
    for (stage, outcome_name), count in sorted(table.items(), key=lambda item: -item[1]):
        print(f"{stage:<14}{outcome_name:<28}{count:>8}")
    print(f"{len(results)} mutants of seed {seed}, {len(findings)} findings")
    return len(findings)


if __name__ == "__main__":
    sys.exit(main())
