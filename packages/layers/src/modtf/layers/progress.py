"""The display of training: a bar on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tqdm import tqdm

__all__ = ["ProgressDisplay"]

_SECONDS_BETWEEN_FIGURES = 0.5


class ProgressDisplay:
    """Shows how training, or a pass over data, goes on.

    Args:
        verbose: 0 for nothing, 1 for a bar (where standard output is a terminal; else as for 2), 2 for a line for each
            epoch, `"auto"` for 1.
        epochs: How many epochs there are; `None` for one pass without a number.
        steps: How many batches an epoch has, if it is known.

    Raises:
        ValueError: `verbose` is another.
    """

    def __init__(self, verbose: str | int, epochs: int | None, steps: int | None) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 0, 1, 2 or 'auto'; got {verbose!r}.")
        self._lines = bool(verbose)
        self._bars = verbose in ("auto", 1) and sys.stdout.isatty()
        self._epochs = epochs
        self._steps = steps
        self._bar: Any = None

    def begin(self, epoch: int = 0) -> None:
        """Called at the beginning of an epoch, which are counted from 0."""
        self._began = self._shown = time.perf_counter()
        self._done = 0
        title = "" if self._epochs is None else f"Epoch {epoch + 1}/{self._epochs}"
        if self._bars:
            self._bar = tqdm(total=self._steps, desc=title or None, unit="step", file=sys.stdout, leave=True)
        elif self._lines and title:
            print(title, flush=True)

    def step(self, figures: Callable[[], Mapping[str, float]]) -> None:
        """Called after each batch.

        Args:
            figures: Gives what to show; called only when the display is due to change.
        """
        self._done += 1
        if self._bar is None:
            return
        self._bar.update()
        now = time.perf_counter()
        if now - self._shown > _SECONDS_BETWEEN_FIGURES:
            self._shown = now
            self._bar.set_postfix_str(_text(figures()), refresh=False)

    def end(self, figures: Mapping[str, float]) -> None:
        """Called at the end of an epoch with its figures."""
        if self._bar is not None:
            self._bar.set_postfix_str(_text(figures))
            self._bar.close()
            self._bar = None
        elif self._lines:
            seconds = time.perf_counter() - self._began
            speed = f"{1000 * seconds / max(self._done, 1):.3g}ms/step"
            print(
                " - ".join([f"{self._done}/{self._done}", f"{seconds:.1f}s", speed, _text(figures)]).rstrip(" -"),
                flush=True,
            )

    def close(self) -> None:
        """Called if training stops on an error, so that the bar does not go on."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _text(figures: Mapping[str, float]) -> str:
    return " - ".join(f"{name}: {_number(value)}" for name, value in figures.items())


def _number(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return f"{number:.4f}" if abs(number) > 1e-3 or number == 0 else f"{number:.4e}"
