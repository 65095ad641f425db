"""A certificate for the service, of an authority that is trusted while the benchmarks run."""

import socket
import ssl
import statistics
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

from tests.support.authority import add_to_folder


SYSTEM = Path("/etc/ssl/certs")


@dataclass(frozen=True, slots=True)
class Certificates:
    """The service's own, with its key; and the authorities, all in one file and by their hash.

    Both hold what a system trusts and the service's own authority: what is compared
    reads as much as it reads where people use it.
    """

    service: Path
    bundle: Path
    hashed: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificates":
        authority = trustme.CA()
        made = cls(folder / "service.pem", folder / "bundle.pem", folder / "certs")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(made.service)
        made.bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        add_to_folder(made.hashed, authority)
        for path in SYSTEM.glob("*.[0-9]"):
            (made.hashed / path.name).symlink_to(path)
        return made

    def handshake(self, url: str, runs: int = 20) -> float:
        """Return the seconds that a handshake with the service takes, and nothing else."""
        context = ssl.create_default_context(cafile=self.bundle)
        place = urllib.parse.urlsplit(url)
        taken = []
        for _ in range(runs):
            with socket.create_connection((place.hostname, place.port)) as plain:
                started = time.perf_counter()
                with context.wrap_socket(plain, server_hostname=place.hostname):
                    taken.append(time.perf_counter() - started)
        return statistics.median(taken)
