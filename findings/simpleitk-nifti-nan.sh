#!/usr/bin/env bash
# SimpleITK 2.5.7: NaN and infinity in a NIfTI image are read as 0.
#
# One would guess that an image of floats comes back as it was written: SimpleITK writes NaN into a .nii file, nibabel
# finds it there, and SimpleITK reads it from NRRD, MetaImage and TIFF. The NIfTI reader sets every number that is not
# finite to 0 and says nothing, so that voxels outside the brain, which statistical maps mark by NaN, count as "no
# effect" in every mean. (ITK 6 is to keep them.) A scl_slope of 0, by which the format says that nothing is scaled,
# does not keep it from adding scl_inter; nibabel adds nothing.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import nibabel
import numpy as np
import SimpleITK as sitk

print("SimpleITK", sitk.Version.VersionString(), "nibabel", nibabel.__version__)
voxels = np.array([[[1.5, np.nan], [np.inf, -2]]])
for kind in (np.float32, np.float64):
    for ending in ("nrrd", "mha", "tif", "nii", "nii.gz"):
        if ending == "tif" and kind is np.float64:
            continue
        sitk.WriteImage(sitk.GetImageFromArray(voxels.astype(kind)), f"voxels.{ending}")
        read = sitk.GetArrayFromImage(sitk.ReadImage(f"voxels.{ending}")).reshape(2, 2)
        print(f"{np.dtype(kind)} as .{ending}: {read.tolist()}")
        np.testing.assert_array_equal(read, [[1.5, 0], [0, -2]] if "nii" in ending else voxels[0])
    held = nibabel.load("voxels.nii").get_fdata().T.reshape(2, 2)
    print(f"the same .nii by nibabel: {held.tolist()}")
    np.testing.assert_array_equal(held, voxels[0])

nibabel.save(nibabel.Nifti1Image(np.array([[[1, 2]]], np.int16), np.eye(4)), "unscaled.nii")
with open("unscaled.nii", "r+b") as file:
    file.seek(112)  # scl_slope and scl_inter
    file.write(np.array([0, 5], "<f4").tobytes())
read = sitk.GetArrayFromImage(sitk.ReadImage("unscaled.nii")).ravel().tolist()
held = nibabel.load("unscaled.nii").get_fdata().ravel().tolist()
print(f"[1, 2] with scl_slope 0 and scl_inter 5: SimpleITK {read}, nibabel {held}")
assert read == [6, 7] and held == [1, 2]
END
