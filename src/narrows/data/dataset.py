"""The one form that all data take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:  # it raises DataError
    from narrows.data.on_disk import OnDisk

__all__ = ["DataError", "Dataset", "ImageFiles", "Rejected"]


class DataError(ValueError):
    """Data that cannot be used as they are; the message names the file, what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that was passed over, by its path inside the folder, and why: ``"empty"``, ``"truncated"`` …"""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """What was found in the image files that a data set comes from, before they were converted.

    Attributes
    ----------
    names
        (n,) paths inside the folder, in the order of the examples, as bytes, which take a quarter of the memory of
        text; `os.fsdecode` turns one into text.
    sizes
        (width, height) upright ↦ how many images have it.
    modes
        Pillow's mode, such as ``"RGB"``, ``"L"``, ``"P"``, ``"CMYK"`` or ``"I;16"`` ↦ how many images have it.
    rejected
        The files that were passed over.
    """

    names: NDArray[np.bytes_]
    sizes: dict[tuple[int, int], int]
    modes: dict[str, int]
    rejected: tuple[Rejected, ...]

    @property
    def labels(self) -> NDArray[np.str_] | None:
        """(n,) for each image the folder that holds it, ``"."`` for the outermost; None if all lie in one."""
        codes: dict[bytes, int] = {}
        places = np.fromiter((codes.setdefault(name.rpartition(b"/")[0], len(codes)) for name in self.names), np.int64)
        folders = np.array([name.decode(errors="backslashreplace") or "." for name in codes], dtype=np.str_)
        return folders[places] if len(codes) > 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Examples, and what is known of them.

    Attributes
    ----------
    name
        For people and for file names: ``"digits"``, a file's stem, a folder's name.
    X
        Rows (n, features), as a data frame if the columns have names, or images (n, H, W) or (n, H, W, C); in the units
        they came in. Where they are more than memory should hold, an `OnDisk` array.
    y
        (n,) labels, or None.
    files
        For images from files, what was found in these.
    factors
        For a synthetic set, a column for each factor it was drawn from, (n, factors).
    """

    name: str
    X: NDArray[Any] | pd.DataFrame | OnDisk
    y: NDArray[Any] | None = None
    files: ImageFiles | None = None
    factors: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.X):
            raise DataError(f"{self.name} has {len(self.X)} examples but {len(self.y)} labels")
        kind = np.asarray(self.X[:0]).dtype if isinstance(self.X, pd.DataFrame) else self.X.dtype
        if not len(self.X):
            raise DataError(f"{self.name} holds no examples: its shape is {self.X.shape}")
        if self.X.ndim == 4 and self.X.shape[1] in (1, 3, 4) and self.X.shape[3] > 4:
            raise DataError(
                f"{self.name}, of shape {self.X.shape}, looks as if its channels came first; images are (n, H, W, C): "
                "np.moveaxis(X, 1, -1) brings them last"
            )
        if self.X.ndim not in (2, 3, 4) or kind.kind not in "buif":
            raise DataError(
                f"{self.name} holds {kind} in shape {self.X.shape}; "
                "numbers as rows (n, features) or images (n, H, W) or (n, H, W, C) are expected"
            )
