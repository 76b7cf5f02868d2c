"""What people have, as arrays: named sets, arrays, tables, IDX files, images and folders of them."""

from narrows.data.dataset import DataError, Dataset
from narrows.data.sources import load_data
from narrows.data.split import split

__all__ = ["DataError", "Dataset", "load_data", "split"]
