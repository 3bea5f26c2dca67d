"""Signal processing (`tf.signal`)."""

from modtf.core.api.signal import cosine, fourier, framing, mel, spectral, windows
from modtf.core.api.signal.cosine import *
from modtf.core.api.signal.fourier import *
from modtf.core.api.signal.framing import *
from modtf.core.api.signal.mel import *
from modtf.core.api.signal.spectral import *
from modtf.core.api.signal.windows import *

__all__ = sorted(  # noqa: PLE0605 (it is a list of strings)
    {name for module in (cosine, fourier, framing, mel, spectral, windows) for name in module.__all__}
)
