"""Fetch the servers of Redis and Valkey that Debian ships, for the tests that run on each of them.

python local/redis_versions.py            # into .redis/, some 30 MB; what is there already is kept
"""

import hashlib
import io
import lzma
import sys
import tarfile
import urllib.request
from pathlib import Path

MIRROR = "https://deb.debian.org/debian"
FOLDER = Path(__file__).parents[1] / ".redis"

SERVERS = {
    "redis-7.0": ("bookworm", ["redis-tools", "redis-server"]),
    "redis-8.0": ("trixie", ["redis-tools", "redis-server"]),
    "valkey-8.1": ("trixie", ["valkey-tools", "valkey-server"]),
}
"""By the name of its folder: a release of Debian, and the packages with the server."""

LIBRARIES = {
    "bookworm": ["libc6", "libstdc++6", "libgcc-s1", "libssl3", "libjemalloc2", "liblzf1"],
    "trixie": ["libc6", "libstdc++6", "libgcc-s1", "libssl3t64", "libjemalloc2", "liblzf1"],
}
SHARED = [
    "libsystemd0",
    "libcap2",
    "libgcrypt20",
    "libgpg-error0",
    "liblz4-1",
    "liblzma5",
    "libzstd1",
    "libatomic1",
    "zlib1g",
]
"""What the servers are linked with: they run by their own loader, beside any system's libraries."""


def main() -> None:
    """Fetch each server that is not there yet, and say where it lies."""
    for name, (release, packages) in SERVERS.items():
        target = FOLDER / name
        if not (target / "complete").exists():
            sys.stderr.write(f"fetching {name} of Debian {release} …\n")
            index = index_of(release)
            for package in [*packages, *LIBRARIES[release], *SHARED]:
                unpack(fetched(*index[package]), target)
            (target / "complete").touch()
        sys.stdout.write(f"{target}\n")


def index_of(release: str) -> dict[str, tuple[str, str]]:
    """Return the path and the SHA-256 of each package of a release."""
    url = f"{MIRROR}/dists/{release}/main/binary-amd64/Packages.xz"
    text = lzma.decompress(download(url)).decode()
    found: dict[str, tuple[str, str]] = {}
    for paragraph in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " "
        )
        if fields:
            found[fields["Package"]] = fields["Filename"], fields["SHA256"]
    return found


def fetched(path: str, sha256: str) -> bytes:
    """Return the package at *path* of the mirror, whose digest is the index's."""
    package = download(f"{MIRROR}/{path}")
    if hashlib.sha256(package).hexdigest() != sha256:
        raise ValueError(f"{path} is not what the index says")
    return package


def download(url: str) -> bytes:
    """Return what lies at a URL of the mirror."""
    with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - https, by MIRROR
        content: bytes = response.read()
        return content


def unpack(package: bytes, target: Path) -> None:
    """Unpack the files of a .deb: an `ar` archive, whose last member is a tar."""
    at = 8  # after the magic text
    while at < len(package):
        name, size = package[at : at + 16].decode().strip(), int(package[at + 48 : at + 58])
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(package[at + 60 : at + 60 + size])) as archive:
                archive.extractall(target, filter="fully_trusted")  # noqa: S202 - as the index says, byte for byte
            return
        at += 60 + size + size % 2
    raise ValueError("the package has no files")


if __name__ == "__main__":
    main()
