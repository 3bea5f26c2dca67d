"""`Dataset`."""

from __future__ import annotations

from modtf.core.api.data.applying import Applying
from modtf.core.api.data.batching import Batching
from modtf.core.api.data.making import Making
from modtf.core.api.data.ordering import Ordering


class Dataset(Making, Applying, Batching, Ordering):
    """A sequence of elements, computed one after the other whenever it is iterated over.

    An element is a tensor, a ragged or sparse tensor, another dataset, or tuples and dicts of those. A dataset is made by a
    static method such as `from_tensor_slices`, and methods such as `map` and `batch` make others of it. In a `tf.function`,
    a `for` loop over it becomes one loop of the graph. What is in it is computed on the host, with NumPy; the elements that
    it gives out are tensors of the current backend.

    Args:
        variant_tensor: The tensor that stands for it in graphs.
        element_spec: The specs of its elements, in their structure.
        kind: What it is called.
    """
