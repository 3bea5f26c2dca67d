"""`python -m modtf.core`: the `modtf` command."""

import sys

from modtf.core.command import main

sys.exit(main())
