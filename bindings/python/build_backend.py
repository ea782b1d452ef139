"""Builds the wheel: this package with the shared library inside (PEP 517, nothing but Python needed).

The library is the one that P2PAGENTS_LIBRARY names, or is built here with CMake. The wheel fits every
Python 3 of the platform, for ctypes needs no build of its own.
"""
import base64
import hashlib
import os
import pathlib
import subprocess
import sysconfig
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = HERE / "p2pagents"
LICENSES = ("LICENSE", "LICENSE-APACHE", "LICENSE-MIT")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel

with open(HERE / "pyproject.toml", "rb") as _file:
    PROJECT = tomllib.load(_file)["project"]
PLATFORM = sysconfig.get_platform().replace("-", "_").replace(".", "_")
TAG = f"py3-none-{PLATFORM}"
STEM = f"{PROJECT['name']}-{PROJECT['version']}"


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    name = f"{STEM}-{TAG}.whl"
    files = {f"p2pagents/{path.name}": path.read_bytes()
             for path in sorted(PACKAGE.iterdir()) if path.suffix in (".py", ".typed")}
    files["p2pagents/libp2pagents.so"] = _library().read_bytes()
    files.update(_dist_info())
    record = f"{STEM}.dist-info/RECORD"
    files[record] = "".join(
        f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in files.items()
    ).encode() + f"{record},,\n".encode()
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return name


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: object = None) -> str:
    """Without it pip would build the library to read a name."""
    for path, data in _dist_info().items():
        file = pathlib.Path(metadata_directory) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return f"{STEM}.dist-info"


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    raise RuntimeError("the sources are those of the whole project: build the wheel in its repository")


def _library() -> pathlib.Path:
    chosen = os.environ.get("P2PAGENTS_LIBRARY")
    if chosen:
        return pathlib.Path(chosen)
    build = HERE / "build"
    subprocess.run(["cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
                    "-DP2PA_BUILD_TESTS=OFF", "-DP2PA_BUILD_TOOLS=OFF", "-DP2PA_BUILD_EXAMPLES=OFF",
                    "-DCMAKE_SHARED_LINKER_FLAGS=-s"], check=True)
    subprocess.run(["cmake", "--build", build, "--parallel", str(os.cpu_count()),
                    "--target", "p2pagents_c"], check=True)
    return build / "capi/libp2pagents.so"


def _dist_info() -> dict[str, bytes]:
    folder = f"{STEM}.dist-info"
    metadata = [
        "Metadata-Version: 2.4", f"Name: {PROJECT['name']}", f"Version: {PROJECT['version']}",
        f"Summary: {PROJECT['description']}", f"Requires-Python: {PROJECT['requires-python']}",
        f"License-Expression: {PROJECT['license']}",
        *(f"License-File: {name}" for name in LICENSES),
        *(f"Classifier: {classifier}" for classifier in PROJECT["classifiers"]),
        "Description-Content-Type: text/markdown", "", (HERE / PROJECT["readme"]).read_text()]
    wheel = ["Wheel-Version: 1.0", "Generator: p2pagents", "Root-Is-Purelib: false", f"Tag: {TAG}", ""]
    return {f"{folder}/METADATA": "\n".join(metadata).encode(),
            f"{folder}/WHEEL": "\n".join(wheel).encode(),
            **{f"{folder}/licenses/{name}": (ROOT / name).read_bytes() for name in LICENSES}}


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
