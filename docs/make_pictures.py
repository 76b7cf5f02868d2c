"""Make the pictures that the README and the documentation show: ``.venv/bin/python docs/make_pictures.py``."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURES = Path(__file__).parent / "pictures"


def main() -> None:
    """Run the demo's command and two more, and keep their figures."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        narrows = [sys.executable, "-m", "narrows"]
        subprocess.run([*narrows, "sweep", "digits", "--out", "sweep"], cwd=run, check=True)
        subprocess.run([*narrows, "generate", "sweep/latent_dim-8.safetensors", "--out", "new"], cwd=run, check=True)
        subprocess.run([*narrows, "map", "digits", "--out", "map"], cwd=run, check=True)
        for figure in ("sweep/reconstructions.png", "sweep/error.png", "new/samples.png", "map/map.png"):
            shutil.copy(run / figure, PICTURES)


if __name__ == "__main__":
    main()
