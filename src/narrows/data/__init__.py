"""What people have, as arrays: named sets, arrays, tables, IDX files, images, and other libraries' sets."""

from narrows.data.adapters import from_dataset
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.images import scan_images
from narrows.data.on_disk import OnDisk
from narrows.data.sources import load_data
from narrows.data.split import split

__all__ = ["DataError", "Dataset", "OnDisk", "from_dataset", "load_data", "scan_images", "split"]
