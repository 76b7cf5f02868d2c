"""Images: convolutional beside dense nets, a folder beside the plain PyTorch loop, and the memory that folders take.

``NARROWS_MNIST`` as of ``benchmarks.likelihood``. The folder's images are 64×64 RGB, drawn by the project, as PNG.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.likelihood import mnist
from narrows import Autoencoder
from narrows.data import load_data
from narrows.data.synthetic import shapes

EPOCHS = 3
MANY, FEW = 200_000, 10_000


def against_dense() -> None:
    """Print the errors of both kinds of net on MNIST, at as many parameters and epochs."""
    X, X_test = (part.reshape(-1, 28, 28) for part in mnist())
    print(f"\nMNIST, {EPOCHS} epochs, squared error per pixel of the 10,000 test images, in [0, 1]\n")
    print("| latent_dim | dense | its parameters | convolutional | its parameters | ratio | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for d in (2, 8, 32):
        started = time.process_time()
        convolutional = Autoencoder(d, epochs=EPOCHS, random_state=0).fit(X)
        seconds = [time.process_time() - started]
        # A dense net of layers w and w / 2 and its shortcut, with as many parameters.
        wanted = parameters(convolutional)
        widths = [(w, w // 2) for w in range(64, 1024, 2)]
        counts = [2 * (784 * w + w * v + v * d + 784 * d) + 2 * (w + v) + 2 * (784 + d) for w, v in widths]
        hidden = widths[int(np.argmin(np.abs(np.array(counts) - wanted)))]
        started = time.process_time()
        dense = Autoencoder(d, hidden=hidden, epochs=EPOCHS, random_state=0).fit(X)
        seconds = [time.process_time() - started, *seconds]
        errors = [float(model.anomaly_score(X_test, by="reconstruction").mean()) for model in (dense, convolutional)]
        print(
            f"| {d} | {errors[0]:.4f} | {parameters(dense):,} | {errors[1]:.4f} | {wanted:,} | "
            f"{errors[1] / errors[0]:.2f} | {seconds[0]:.0f}, {seconds[1]:.0f} |",
            flush=True,
        )


def parameters(model: Any) -> int:
    """Return how many numbers a fitted model has learned."""
    return sum(p.numel() for p in model.fitted_.model.parameters())


def draw(folder: Path, n: int, size: int) -> None:
    """Write ``n`` RGB images of shapes as PNG files."""
    folder.mkdir()
    drawn = shapes(min(n, 2000), size=size).X
    rng = np.random.default_rng(0)
    for i, image in enumerate(drawn):
        colour = rng.integers(64, 256, 3)
        Image.fromarray((image[..., None] / 255 * colour).astype(np.uint8)).save(folder / f"{i:06d}.png")
    for i in range(len(drawn), n):  # a second name is a file like any other, and quicker to make
        os.link(folder / f"{i % len(drawn):06d}.png", folder / f"{i:06d}.png")


class Folder(Dataset[Tensor]):
    """What a tutorial writes: every image is opened anew at every epoch."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.glob("*.png"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, place: int) -> Tensor:
        pixels: NDArray[np.uint8] = np.asarray(Image.open(self.files[place]).convert("RGB"))
        return torch.from_numpy(pixels).float().div(255).flatten()


def plain_loop(folder: Path, encoder: nn.Module, decoder: nn.Module, epochs: int) -> None:
    """Train as tutorials do."""
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    for _ in range(epochs):
        for x in DataLoader(Folder(folder), 64, shuffle=True):
            loss = nn.functional.mse_loss(decoder(encoder(x)).sigmoid(), x)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def against_the_plain_loop(folder: Path) -> None:
    """Print images per second from files to trained weights, with the same nets, batches and epochs."""
    options = {"batch_size": 64, "epochs": 2, "validation_fraction": 0.0, "prior": "normal", "random_state": 0}
    started = time.perf_counter()
    X = load_data(folder).X
    reading = time.perf_counter() - started
    model = Autoencoder(16, **options).fit(X)
    ours = time.perf_counter() - started
    nets = model.fitted_.model
    started = time.perf_counter()
    plain_loop(folder, nets.encoder, nets.decoder, 2)
    theirs = time.perf_counter() - started
    started = time.perf_counter()
    for _ in DataLoader(Folder(folder), 64):
        pass
    their_reading = 2 * (time.perf_counter() - started)
    images = 2 * len(X)
    print(f"\n{len(X):,} images of 64×64 RGB, 2 epochs, convolutional net, batches of 64, one thread\n")
    print("| | images a second | of the time reading |")
    print("|---|---|---|")
    print(f"| narrows, from the folder to the fitted model | {images / ours:.0f} | {reading / ours:.1%} |")
    print(f"| plain PyTorch loop with PIL, same nets | {images / theirs:.0f} | {their_reading / theirs:.1%} |")


def first_lines(folder: Path) -> None:
    """Print how long `narrows train` takes until it shows progress: of the reading, and of the training."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-u", "-m", "narrows", "train", str(folder), "--epochs", "1", "--out", f"{out}/run"]
        started, told = time.perf_counter(), []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            for words in ("reading", "epoch 1/1"):
                line = next(line for line in process.stdout if words in line)
                told.append(f"{time.perf_counter() - started:.1f} s: {line.strip()}")
            process.kill()
    print(
        f"\n`narrows train` on that folder shows its first progress after {told[0]}; that of learning after {told[1]}"
    )


PEAK = """
import resource, sys
from narrows import Autoencoder
from narrows.data import load_data
X = load_data(sys.argv[1]).X
model = Autoencoder(8, hidden=(64,), epochs=1, prior="normal", random_state=0).fit(X)
model.transform(X), model.anomaly_score(X), model.score_samples(X)
print(type(X).__name__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def memory(few: Path, many: Path) -> None:
    """Print the peak memory of reading, training and scoring, for two folders that differ in number only."""
    peaks = []
    print("\n| images, 16×16 RGB | held as | peak memory, MB |")
    print("|---|---|---|")
    for folder, n in ((few, FEW), (many, MANY)):
        command = [sys.executable, "-c", PEAK, str(folder)]
        kind, kilobytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        peaks.append(int(kilobytes) / 1024)
        print(f"| {n:,} | {kind} | {peaks[-1]:.0f} |", flush=True)
    print(f"\nRatio {peaks[1] / peaks[0]:.2f}.")


def main() -> None:
    """Print all, in Markdown."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw(folder / "few", FEW, 16)
        draw(folder / "many", MANY, 16)
        memory(folder / "few", folder / "many")
        draw(folder / "images", FEW, 64)
        first_lines(folder / "images")
        against_the_plain_loop(folder / "images")
    if "NARROWS_MNIST" in os.environ:
        against_dense()
