"""How long a library takes to import, in a new process."""

import json
import subprocess
import sys

STATEMENTS = {
    "numpy": "import numpy",
    "modtf": "import modtf.core",
    "jax": "import jax.numpy",
    "tensorflow": "import tensorflow",
}

if __name__ == "__main__":
    code = f"import time; start = time.perf_counter(); {STATEMENTS[sys.argv[1]]}; print(time.perf_counter() - start)"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    print(json.dumps({"import": min(runs) * 1e6}))
