"""Tables from keys to values (`tf.lookup`)."""

from modtf.core.api.lookup import experimental
from modtf.core.api.lookup.tables import *
from modtf.core.api.lookup.tables import __all__ as _tables

__all__ = [*_tables, "experimental"]  # noqa: PLE0604 (they are strings)
