"""What pyproject.toml cannot say: pages of documentation in the wheel, for ``narrows help``, and compiled kernels.

These are a plain library that ctypes loads, in a wheel for any Python 3 of one platform; without a compiler the
build goes on without them.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

KERNELS, INCLUDED = (f"src/narrows/compiled/{name}.c" for name in ("_kernels", "_convolutions"))
SOURCE = b"".join(Path(path).read_bytes() for path in (KERNELS, INCLUDED))


class BuildWithPages(build_py):
    """Copy the pages next to the modules; a checkout that is installed as it stands has them in ``docs``."""

    def run(self) -> None:
        """Build, and copy."""
        super().run()
        if not self.editable_mode:
            for page in [*Path("docs").glob("*.md"), *Path("docs", "learn").glob("*.md")]:
                target = Path(self.build_lib, "narrows", "pages", page.relative_to("docs"))
                self.mkpath(str(target.parent))
                self.copy_file(str(page), str(target))


class BuildLibrary(build_ext):
    """Name the library as no Python does, and ask for nothing that a module of Python's must have."""

    def get_ext_filename(self, fullname: str) -> str:
        """Return its path."""
        return str(Path(*fullname.split("."))) + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:  # noqa: ARG002 - setuptools' signature
        """Return none."""
        return []

    def copy_file(self, infile: str, outfile: str, *given: Any, **options: Any) -> tuple[str, bool]:
        """Put a copy into a checkout whole, where processes may load it meanwhile."""
        aside = f"{outfile}.{os.getpid()}.tmp"
        super().copy_file(infile, aside, *given, **options)
        Path(aside).replace(outfile)
        return outfile, True


class WheelForAnyPython(bdist_wheel):
    """Of the platform alone, since nothing in it depends on Python's own interface."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return those of Python, of its interface and of the platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    cmdclass={"build_py": BuildWithPages, "build_ext": BuildLibrary, "bdist_wheel": WheelForAnyPython},
    ext_modules=[
        Extension(
            "narrows.compiled._kernels",
            [KERNELS],
            depends=[INCLUDED],
            # By which a checkout sees that its library is of another source than it has now.
            define_macros=[("SOURCE", hashlib.sha256(SOURCE).hexdigest()[:16])],
            # What -ffast-math would add at the end changes the whole process's numbers, or what NaN is.
            extra_compile_args=[
                "-std=c11",
                "-O3",
                "-g0",
                "-fno-math-errno",
                "-fno-trapping-math",
                "-ffp-contract=fast",
            ],
            optional=True,
        )
    ],
)
