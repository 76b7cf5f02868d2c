"""The formats that are read, each with a file by another program and what its numbers become: tests and docs share it.

A row writes ``example`` + suffix into a folder and returns what `load_data` is to make of it.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LEVELS = np.arange(80).reshape(8, 10)
COLOURS = np.stack([LEVELS, LEVELS[::-1], LEVELS[:, ::-1]], -1)


class Format(NamedTuple):
    """A row: what it is, its file, what it becomes, the packages its test needs, and the extra it is read with."""

    name: str
    suffix: str
    becomes: str
    write: Callable[[Path], Any]
    writers: tuple[str, ...]
    extra: str


FORMATS: list[Format] = []


def read_as(name, suffix, becomes, *writers, extra=""):
    """Add the function that writes it as a row."""

    def add(write):
        FORMATS.append(Format(name, suffix, becomes, write, writers, extra))
        return write

    return add


def pillow(path, array, **how):
    from PIL import Image

    Image.fromarray(array).save(path, **how)
    return array[None]


@read_as("PNG, grey or colours of 8 bits", ".png", "bytes")
def png(path):
    return pillow(path, COLOURS.astype(np.uint8))


@read_as("PNG, grey of 16 bits", ".png", "16-bit integers")
def png_16(path):
    return pillow(path, (LEVELS * 800).astype(np.uint16))


@read_as("PNG, colours or alpha of 16 bits", ".png", "bytes: the upper 8 bits of each; said", "imagecodecs")
def png_colours_16(path):
    import imagecodecs

    colours = (COLOURS * 800).astype(np.uint16)
    path.write_bytes(imagecodecs.png_encode(colours))
    return (colours >> 8).astype(np.uint8)[None]


@read_as("JPEG, MPO", ".mpo", "bytes")
def mpo(path):
    return pillow(path, np.full((16, 16), 7, np.uint8), format="JPEG", quality=100)


@read_as("WebP", ".webp", "bytes, as colours")
def webp(path):
    return pillow(path, COLOURS.astype(np.uint8), lossless=True)


@read_as("QOI", ".qoi", "bytes, as colours")
def qoi(path):  # by hand, as its specification says: 0xfe begins a pixel in full
    pixels = np.concatenate([np.full((80, 1), 0xFE), COLOURS.reshape(80, 3)], 1).astype(np.uint8)
    path.write_bytes(b"qoif" + struct.pack(">IIBB", 10, 8, 3, 0) + pixels.tobytes() + bytes(7) + b"\1")
    return COLOURS.astype(np.uint8)[None]


@read_as("JPEG 2000, 8 bits", ".jp2", "bytes")
def jpeg2000(path):
    return pillow(path, COLOURS.astype(np.uint8))


@read_as("JPEG 2000, grey of 16 bits", ".jp2", "16-bit integers")
def jpeg2000_16(path):
    return pillow(path, (LEVELS * 800).astype(np.uint16))


@read_as("JPEG 2000, signed grey", ".jp2", "32-bit floats")
def jpeg2000_signed(path):
    pillow(path, (LEVELS * 50).astype(np.uint16), signed=True)  # which are the bits of signed numbers
    return (LEVELS * 50).astype(np.float32)[None]


@read_as("JPEG 2000, grey of 10 to 14 bits", ".jp2", "16-bit integers, as they are", "imagecodecs")
def jpeg2000_12(path):
    import imagecodecs

    levels = (LEVELS * 50).astype(np.uint16)
    how = {"codecformat": "jp2", "reversible": True, "level": 0}
    path.write_bytes(imagecodecs.jpeg2k_encode(levels, bitspersample=12, **how))
    return levels[None]


@read_as("AVIF, HEIC of more than 8 bits", ".avif", "bytes: the upper 8 bits of each; said", "imagecodecs")
def avif_10(path):
    import imagecodecs

    path.write_bytes(imagecodecs.avif_encode(np.full((16, 16, 3), 1023, np.uint16), bitspersample=10, level=100))
    return np.full((1, 16, 16, 3), 255, np.uint8)


@read_as("AVIF", ".avif", "bytes, as colours", "PIL.AvifImagePlugin")
def avif(path):
    return pillow(path, np.full((16, 16, 3), 255, np.uint8), quality=100)


@read_as("PGM, PPM, PBM", ".pgm", "bytes; 16-bit integers where white is more than 255")
def pgm(path):
    levels = (LEVELS * 800).astype(np.uint16)
    path.write_bytes(b"P5 10 8 65535\n" + levels.astype(">u2").tobytes())
    return levels[None]


def tiff(path, array, becomes=None, **how):
    import tifffile

    tifffile.imwrite(path, array, **({"photometric": "minisblack"} | how))
    return (array if becomes is None else becomes)[None]


@read_as("TIFF, grey of 16 bits, also big-endian", ".tif", "16-bit integers", "tifffile")
def tiff_16(path):
    return tiff(path, (LEVELS * 800).astype(">u2"), byteorder=">").astype(np.uint16)


@read_as("TIFF, grey of 10 or 12 bits in 16", ".tif", "16-bit integers, as they are", "tifffile")
def tiff_12(path):
    return tiff(path, (LEVELS * 50).astype(np.uint16))


@read_as("TIFF, colours of 16 bits, in one plane or several", ".tif", "16-bit integers", "tifffile", extra="tiff")
def tiff_planes(path):
    colours = (COLOURS * 800).astype(np.uint16)
    return tiff(path, np.moveaxis(colours, -1, 0), colours, photometric="rgb", planarconfig="separate")


@read_as("TIFF whose 0 is white", ".tif", "turned over, so that more is brighter; said", "tifffile", extra="tiff")
def tiff_negative(path):
    levels = (LEVELS * 800).astype(np.uint16)
    return tiff(path, levels, 65535 - levels, photometric="miniswhite")


@read_as(
    "TIFF, floats whose 0 is white", ".tif", "their negatives, so that more is brighter; said", "tifffile", extra="tiff"
)
def tiff_negative_float(path):
    levels = LEVELS.astype(np.float32)
    return tiff(path, levels, -levels, photometric="miniswhite")


@read_as("TIFF, signed integers of 8 or 16 bits", ".tif", "32-bit floats", "tifffile", extra="tiff")
def tiff_signed(path):
    return tiff(path, (LEVELS * 50 - 1000).astype(np.int16)).astype(np.float32)


@read_as("TIFF, signed bytes", ".tif", "32-bit floats", "tifffile", extra="tiff")
def tiff_int8(path):
    return tiff(path, (LEVELS - 40).astype(np.int8)).astype(np.float32)


@read_as("TIFF, integers of 32 or 64 bits", ".tif", "64-bit floats; refused beyond 2**53", "tifffile", extra="tiff")
def tiff_32(path):
    return tiff(path, (LEVELS * 1000001).astype(np.uint32)).astype(np.float64)


@read_as("TIFF, floats of 16 or 32 bits", ".tif", "32-bit floats", "tifffile", extra="tiff")
def tiff_half(path):
    return tiff(path, (LEVELS / 4).astype(np.float16)).astype(np.float32)


@read_as("TIFF, floats of 64 bits", ".tif", "64-bit floats", "tifffile", extra="tiff")
def tiff_double(path):
    return tiff(path, LEVELS / 7)


@read_as("TIFF, colours as floats", ".tif", "32-bit floats", "tifffile", extra="tiff")
def tiff_float_colours(path):
    return tiff(path, COLOURS.astype(np.float32), photometric="rgb")


@read_as("TIFF, 16 bits with alpha", ".tif", "16-bit integers on white", "tifffile", extra="tiff")
def tiff_alpha(path):
    levels, clear = (LEVELS * 800).astype(np.uint16), (LEVELS % 2 == 0).astype(np.uint16)
    both = np.stack([levels, 65535 - 65535 * clear], -1)
    expected = np.where(clear == 1, 65535, levels).astype(np.uint16)
    return tiff(path, both, expected, extrasamples=["unassalpha"], planarconfig="contig")


@read_as("TIFF of any number of channels", ".tif", "as it is, (H, W, C)", "tifffile", extra="tiff")
def tiff_channels(path):
    return tiff(path, np.stack([LEVELS + i for i in range(5)], -1).astype(np.uint8), planarconfig="contig")


@read_as("TIFF of colours and other channels", ".tif", "as it is, (H, W, C)", "tifffile", extra="tiff")
def tiff_near_infrared(path):
    channels = np.concatenate([COLOURS, LEVELS[..., None]], -1).astype(np.uint8)
    return tiff(path, channels, photometric="rgb", extrasamples=["unspecified"])


@read_as(
    "TIFF compressed by LERC",
    ".tif",
    "as any other, without gaps; with imagecodecs",
    "tifffile",
    "imagecodecs",
    extra="tiff",
)
def tiff_lerc(path):
    return tiff(path, LEVELS.astype(np.float32), compression="lerc")


@read_as(
    "TIFF with JPEG 2000 inside",
    ".tif",
    "as any other, up to 24 bits; with imagecodecs",
    "tifffile",
    "imagecodecs",
    extra="tiff",
)
def tiff_jpeg2000(path):
    return tiff(path, LEVELS.astype(np.uint8), compression="jpeg2000")


def dicom(path, array, **what):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.Rows, file.Columns = array.shape[-2:]
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.PixelData = array.astype("<u2").tobytes()
    for name, value in what.items():
        setattr(file, name, value)
    file.save_as(path, enforce_file_format=True)


@read_as(
    "DICOM, in the units of slope and intercept (Hounsfield's)", ".dcm", "32-bit floats; said", "pydicom", extra="dicom"
)
def dicom_ct(path):
    dicom(path, LEVELS * 30, RescaleSlope=2, RescaleIntercept=-1024)
    return (LEVELS * 60 - 1024).astype(np.float32)[None]


@read_as("DICOM, MONOCHROME1", ".dcm", "turned over, so that more is brighter; said", "pydicom", extra="dicom")
def dicom_negative(path):
    dicom(path, LEVELS * 30, PhotometricInterpretation="MONOCHROME1")
    return (4095 - LEVELS * 30).astype(np.uint16)[None]


@read_as("DICOM of several frames", ".dcm", "each frame is an example", "pydicom", extra="dicom")
def dicom_frames(path):
    frames = np.stack([LEVELS, LEVELS + 100, LEVELS + 200])
    dicom(path, frames, NumberOfFrames=3)
    return frames.astype(np.uint16)


@read_as(
    "NIfTI",
    ".nii.gz",
    "each slice is an example, its front up, its left left; slope and intercept applied",
    "nibabel",
    extra="nifti",
)
def nifti(path):
    import nibabel

    volume = np.arange(120).reshape(4, 5, 6).astype(np.int16)  # x from right to left, as told by the affine map
    image = nibabel.Nifti1Image(volume, np.diag([-1.0, 1, 1, 1]))
    image.header.set_slope_inter(2, -10)
    image.to_filename(path)
    stored = nibabel.load(path).get_fdata()  # rounded to the slope
    return np.stack([[[stored[3 - x, 4 - y, z] for x in range(4)] for y in range(5)] for z in range(6)]).astype(
        np.float32
    )


ROWS = (np.arange(60).reshape(12, 5) / 4).astype(np.float32)
CLASSES = np.arange(12) % 3


@read_as("NumPy, one array", ".npy", "as they are; pickled objects are refused")
def npy(path):
    np.save(path, ROWS)
    return ROWS


@read_as("NumPy, several arrays", ".npz", "as they are; X, or the one that --key names, and its labels")
def npz(path):
    np.savez(path, X=ROWS, y=CLASSES)
    return ROWS


@read_as("MATLAB, up to version 7", ".mat", "as they are; examples along the last axis come first")
def mat(path):
    import scipy.io

    images = np.arange(4 * 5 * 3 * 7).reshape(4, 5, 3, 7).astype(np.uint8)
    scipy.io.savemat(path, {"X": images, "y": np.arange(7)[:, None] % 2})
    return np.moveaxis(images, -1, 0)


@read_as("MATLAB, version 7.3", ".mat", "as they are", "h5py", extra="hdf5")
def mat_7_3(path):
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:  # columns first, as MATLAB has them
        file.create_dataset("X", data=ROWS.T).attrs["MATLAB_class"] = np.bytes_("single")
        file.create_dataset("y", data=CLASSES[None].astype(float)).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    return ROWS


@read_as("HDF5", ".h5", "as they are; large ones stay on disk", "h5py", extra="hdf5")
def hdf5(path):
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("train/images", data=ROWS, chunks=True, compression="gzip")
        file["train/labels"] = CLASSES
    return ROWS


@read_as(
    "AnnData, X or another matrix", ".h5ad", "as they are; sparse rows become dense", "anndata", "h5py", extra="hdf5"
)
def anndata(path):
    import anndata
    import pandas as pd
    import scipy.sparse

    obs = pd.DataFrame(
        {"cell_type": pd.Categorical([f"type {c}" for c in CLASSES])}, index=[f"c{i}" for i in range(12)]
    )
    anndata.AnnData(scipy.sparse.csr_matrix(ROWS), obs=obs).write_h5ad(path)
    return ROWS


@read_as("Zarr, versions 2 and 3", ".zarr", "as they are; large ones are copied to disk", "zarr", extra="zarr")
def zarr(path):
    import zarr

    group = zarr.open_group(str(path), mode="w")
    for name, array in (("X", ROWS), ("y", CLASSES)):
        group.create_array(name, data=array)
    return ROWS


@read_as("IDX, also gzipped", "-images-idx3-ubyte", "bytes; labels from the file next to it")
def idx(path):
    images = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    path.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 3, 4, 5) + images.tobytes())
    return images


@read_as("libsvm's text", ".libsvm", "64-bit floats; the first number of a line is the label")
def libsvm(path):
    from sklearn.datasets import dump_svmlight_file

    dump_svmlight_file(ROWS.astype(float), CLASSES, str(path), zero_based=False)
    return ROWS.astype(float)


@read_as(".amat, rows with spaces between them", ".amat", "32-bit floats; the last number of a line is the label")
def amat(path):
    np.savetxt(path, np.c_[ROWS, CLASSES])
    return ROWS


@read_as("CIFAR's binary batches", ".bin", "bytes, colours last; of CIFAR-100 the fine classes")
def cifar(path):
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    path.write_bytes(b"".join(bytes([i]) + image.transpose(2, 0, 1).tobytes() for i, image in enumerate(images)))
    return images


@read_as("Small NORB", "-training-dat.mat", "bytes, a channel for each eye; classes from the file next to it")
def norb(path):
    pairs = np.random.default_rng(0).integers(0, 256, (3, 2, 6, 5), np.uint8)
    path.write_bytes(struct.pack("<6I", 0x1E3D4C55, 4, *pairs.shape) + pairs.tobytes())
    classes = path.with_name(path.name.replace("-dat", "-cat"))
    classes.write_bytes(struct.pack("<5I", 0x1E3D4C54, 1, 3, 1, 1) + np.arange(3, dtype="<i4").tobytes())
    return np.moveaxis(pairs, 1, -1)


def parquet(path, **columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)


@read_as(
    "Parquet, a column of images, as Hugging Face writes it",
    ".parquet",
    "as their files; other columns but the label are left out; said",
    "pyarrow",
    extra="parquet",
)
def parquet_images(path):
    from io import BytesIO

    from PIL import Image

    Image.fromarray(COLOURS.astype(np.uint8)).save(image := BytesIO(), "PNG")
    parquet(path, image=[{"bytes": image.getvalue(), "path": "a.png"}] * 2, label=[0, 1])
    return np.stack([COLOURS] * 2).astype(np.uint8)


@read_as(
    "Parquet, a column of vectors, matrices or tensors",
    ".parquet",
    "as they are; other columns but the label are left out; said",
    "pyarrow",
    extra="parquet",
)
def parquet_vectors(path):
    import pyarrow as pa

    parquet(path, v=pa.array(ROWS.tolist(), pa.list_(pa.float32())), label=CLASSES)
    return ROWS


@read_as("CSV, TSV, also gzipped: numbers without names", ".csv", "64-bit floats, empty cells missing ones")
def csv(path):
    np.savetxt(path, ROWS, delimiter=",")
    return ROWS.astype(float)
