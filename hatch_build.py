"""Build the native lane, and what puts messages together for it, where there is a C compiler; else all is slower."""

import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = ("loadgen/transport/native.pyx", "loadgen/session/mailing.pyx")
INCLUDED = [f"loadgen/transport/{part}" for part in ("system.pxd", "heard.pxi", "lanes.pxi", "tally.pxi")]
PARTS = (MODULES[0], *INCLUDED, MODULES[1])      # the order in which native_lane.py has them
REQUIRED = "MAILPROOF_NATIVE"      # "required": a build without the native lane fails


class NativeLane(BuildHookInterface[Any]):
    """What hatchling calls when it builds a wheel, or installs in place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it: beside its source for an installation in place, else for the wheel alone."""
        root = Path(self.root)
        try:
            into = root if version == "editable" else root / "build"
            built = build(root, into)
        except (Exception, SystemExit) as reason:      # whatever is missing, or broken: the package works without it
            if os.environ.get(REQUIRED) == "required":
                raise
            self.app.display_warning(f"mailproof's native lane is not built: {reason}")
            return
        if version != "editable":
            build_data["force_include"].update({str(module): str(module.relative_to(into)) for module in built})
        build_data["infer_tag"] = True
        build_data["pure_python"] = False


def build(root: Path, into: Path) -> list[Path]:
    """Compile the modules of a source tree below a directory; return where they are. Raises what the compilers do."""
    from Cython.Build import cythonize  # noqa: PLC0415  an sdist needs neither
    from setuptools import Distribution, Extension  # noqa: PLC0415

    # native_lane.py tells by it what was built from another source
    checksum = zlib.crc32(b"".join([(root / part).read_bytes() for part in PARTS]))
    macros = [("SOURCE_CHECKSUM", str(checksum))]
    with tempfile.TemporaryDirectory() as work:
        extensions = [
            Extension(source.removesuffix(".pyx").replace("/", "."), [str(root / source)], define_macros=macros)
            for source in MODULES
        ]
        modules = cythonize(extensions, build_dir=work, include_path=[str(root)], quiet=True)
        command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(into), work
        command.ensure_finalized()
        command.run()
        return [Path(built) for built in command.get_outputs()]
