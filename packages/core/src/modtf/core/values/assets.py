"""Files that belong to a model, such as vocabularies."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.values import dtypes
from modtf.core.values.tensors import EagerTensor


class AssetPath(EagerTensor):
    """The path of a file that a model needs: a scalar string, which traced functions capture rather than contain.

    So saving can copy the file with the model, and loading can give the functions the path that it has then.
    """

    __slots__ = ()

    def __init__(self, path: Any) -> None:
        text = os.fspath(path)
        super().__init__(np.array(text if isinstance(text, bytes) else text.encode(), object), dtypes.string, NUMPY)
