#!/usr/bin/env bash
# SimpleITK 2.5.7 and mrcfile 1.5.4: bytes that one writes as MRC the other reads as negative numbers from 128 on.
#
# One would guess that 200 comes back as 200, as 16-bit and floating-point voxels do, or that it is refused, as
# SimpleITK refuses signed bytes there. MRC's mode 0 are signed bytes, as the format has it since 2014 and as mrcfile
# takes it; SimpleITK writes unsigned ones under it, and reads its own files so that nothing is seen. Written by
# mrcfile, which makes 16 bits of unsigned bytes, both kinds come right in SimpleITK. So the bright half of a tomogram
# or of its mask (255 is −1) is darker than its dark half once it has gone from one to the other.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet SimpleITK==2.5.7 mrcfile==1.5.4 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import mrcfile
import numpy as np
import SimpleITK as sitk

print("SimpleITK", sitk.Version.VersionString(), "mrcfile", mrcfile.__version__)
for kind in (np.uint8, np.uint16, np.int16, np.float32):
    voxels = np.array([[[0, 100, 127], [128, 200, 255]]], kind)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), "a.mrc")
    own = sitk.GetArrayFromImage(sitk.ReadImage("a.mrc"))
    read = mrcfile.read("a.mrc").reshape(voxels.shape)
    print(f"{np.dtype(kind)}: SimpleITK {own.ravel()}, mrcfile {read.ravel()} ({read.dtype})")
    np.testing.assert_array_equal(own, voxels)
    np.testing.assert_array_equal(read, voxels.astype(np.int8) if kind is np.uint8 else voxels)

for kind in (np.int8, np.uint8):
    voxels = np.array([[[0, 100, 127], [128, 200, 255]]]).astype(kind)
    mrcfile.write("b.mrc", voxels, overwrite=True)
    back = sitk.GetArrayFromImage(sitk.ReadImage("b.mrc"))
    print(f"{np.dtype(kind)} the other way: {back.ravel()} ({back.dtype})")
    np.testing.assert_array_equal(back, voxels)

try:
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((1, 2, 3), np.int8)), "c.mrc")
except RuntimeError as error:
    print("signed bytes:", str(error).strip().splitlines()[-1])
else:
    raise AssertionError("signed bytes are written")
END
