"""Build the native lane with the package, where there is a C compiler; without one the package is whole, and slower."""

import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "loadgen/transport/native.pyx"
PARTS = (SOURCE, *[f"loadgen/transport/{part}" for part in ("system.pxd", "heard.pxi", "lanes.pxi", "tally.pxi")])
REQUIRED = "MAILPROOF_NATIVE"      # "required": a build without the native lane fails


class NativeLane(BuildHookInterface[Any]):
    """What hatchling calls when it builds a wheel, or installs in place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it: beside its source for an installation in place, else for the wheel alone."""
        root = Path(self.root)
        try:
            built = build(root, root if version == "editable" else root / "build")
        except (Exception, SystemExit) as reason:      # whatever is missing, or broken: the package works without it
            if os.environ.get(REQUIRED) == "required":
                raise
            self.app.display_warning(f"mailproof's native lane is not built: {reason}")
            return
        if version != "editable":
            build_data["force_include"][str(built)] = str(Path(SOURCE).with_name(built.name))
        build_data["infer_tag"] = True
        build_data["pure_python"] = False


def build(root: Path, into: Path) -> Path:
    """Compile the lane of a source tree below a directory, and return where it is. Raises what the compilers do."""
    from Cython.Build import cythonize  # noqa: PLC0415  an sdist needs neither
    from setuptools import Distribution, Extension  # noqa: PLC0415

    # native_lane.py tells by it what was built from another source
    checksum = zlib.crc32(b"".join([(root / part).read_bytes() for part in PARTS]))
    with tempfile.TemporaryDirectory() as work:
        extension = Extension(
            "loadgen.transport.native", [str(root / SOURCE)], define_macros=[("SOURCE_CHECKSUM", str(checksum))]
        )
        modules = cythonize([extension], build_dir=work, include_path=[str(root)], quiet=True)
        command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(into), work
        command.ensure_finalized()
        command.run()
        [built] = command.get_outputs()
    return Path(built)
