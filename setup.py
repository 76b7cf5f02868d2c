"""What pyproject.toml cannot say: the documentation's pages go into the wheel, where ``narrows help`` finds them."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


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


setup(cmdclass={"build_py": BuildWithPages})
