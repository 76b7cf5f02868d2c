"""Try narrows on photographs with odd ones among them: ``.venv/bin/python docs/make_photos.py``.

The photographs are those that scikit-learn and scikit-image bring along, cut into squares; scikit-image is needed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_images
from sklearn.metrics import average_precision_score, roc_auc_score

from narrows import load
from narrows.data import load_data
from narrows.runs.pictures import draw_grid

PICTURES = Path(__file__).parent / "pictures"
SIDE, STEP = 64, 48
ODD = ("coins", "page", "immunohistochemistry")
ODD_OF_EACH = 4


def cut(folder: Path) -> None:
    """Write overlapping squares of six photographs, and four each of coins, of print and of a stained tissue."""
    folder.mkdir()
    photographs = dict(zip(("china", "flower"), load_sample_images().images, strict=True))
    photographs |= {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    for name, image in photographs.items():
        for top in range(0, image.shape[0] - SIDE + 1, STEP):
            for left in range(0, image.shape[1] - SIDE + 1, STEP):
                square = Image.fromarray(image[top : top + SIDE, left : left + SIDE])
                square.save(folder / f"{name}-{top:03}-{left:03}.png")
    rng = np.random.default_rng(0)
    for name in ODD:
        image = getattr(data, name)()
        for number in range(ODD_OF_EACH):
            top, left = (int(rng.integers(side - SIDE + 1)) for side in image.shape[:2])
            Image.fromarray(image[top : top + SIDE, left : left + SIDE]).save(folder / f"odd-{name}-{number}.png")


def keep(figure: Path, name: str) -> None:
    """Keep a figure as a JPEG, which is a fifth of the size for photographs."""
    Image.open(figure).convert("RGB").save(PICTURES / name, quality=80, optimize=True)


def main() -> None:
    """Cut, train, generate, rank, and print how the planted ones are ranked."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        cut(home / "photos")
        narrows = [sys.executable, "-m", "narrows"]
        train = ["train", "photos", "--size", "32", "--latent-dim", "32", "--out", "run"]
        subprocess.run([*narrows, *train], cwd=home, check=True)
        subprocess.run([*narrows, "generate", "run", "--n", "36", "--out", "new"], cwd=home, check=True)
        keep(home / "run" / "reconstructions.png", "photos-reconstructions.jpg")
        keep(home / "new" / "samples.png", "photos-samples.jpg")
        model, photos = load(home / "run" / "model.safetensors"), load_data(home / "photos", size=32)
        assert photos.files is not None
        names = [Path(name.decode()).stem for name in photos.files.names]
        odd = np.array([name.startswith("odd-") for name in names])
        spread = np.asarray(photos.X, float).reshape(len(odd), -1).std(1)
        rankings = {
            "anomaly_score": model.anomaly_score(photos.X, by="reconstruction"),
            "−score_samples": -model.score_samples(photos.X),
            "without a model: the pixels' standard deviation": spread,
        }
        for name, scores in rankings.items():
            first = int(odd[np.argsort(-scores)[: odd.sum()]].sum())
            auc, precision = roc_auc_score(odd, scores), average_precision_score(odd, scores)
            print(f"| {name} | {auc:.2f} | {precision:.2f} | {first} of {odd.sum()} |")
            print(*(f"  {kind}: ranks {ranks_of(scores, names, kind)}" for kind in ODD), sep="\n")
        order = np.argsort(-rankings["anomaly_score"])[:24]
        labels = [names[place] for place in order]
        title = f"The 24 of {len(odd)} with the largest anomaly_score, largest first"
        draw_grid(model.fitted_, photos.X[order], title=title, labels=labels).savefig(home / "odd.png", dpi=130)
        keep(home / "odd.png", "photos-oddest.jpg")


def ranks_of(scores: np.ndarray, names: list[str], kind: str) -> list[int]:
    """Return the ranks, from 1 for the oddest, of the planted squares of one kind."""
    order = np.argsort(-scores)
    return [rank for rank, place in enumerate(order, 1) if names[place].startswith(f"odd-{kind}")]


if __name__ == "__main__":
    main()
