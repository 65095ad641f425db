"""What commands are made of: a service, a folder, flux as users install it, and the peers."""

import os
import shutil
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from benchmarks.certificates import Certificates
from benchmarks.measure import Command
from benchmarks.peers import Peer


HERE = Path(__file__).parent
TOKEN = "benchmark-token-not-a-secret"  # noqa: S105 - says so itself
LONG = 128  # characters of the longest id


class Setup:
    """Makes commands for a service at `url`."""

    def __init__(
        self,
        url: str,
        folder: Path,
        program: Path,
        peers: dict[str, Peer],
        certificates: Certificates | None = None,
    ) -> None:
        """`program` is flux as users install it; `certificates` are for https."""
        self.program = program
        self.url = url
        self.folder = folder
        self.peers = peers
        self.certificates = certificates
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "FLUX_API_BASE_URL": url,
            "FLUX_API_TOKEN": TOKEN,
            "ACEDATACLOUD_API_BASE_URL": url,
            "ACEDATACLOUD_API_TOKEN": TOKEN,
        }
        self._bundle: dict[str, str] = {}
        if certificates is not None:
            self.environment["SSL_CERT_DIR"] = str(certificates.hashed)
            names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
            self._bundle = dict.fromkeys(names, str(certificates.bundle))

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0]

    def ids(self, count: int, length: int = 0) -> Path:
        """Return a file of so many ids, as the service makes them or of another length."""
        path = self.folder / f"ids-{count}-{length}"
        if not path.exists():
            path.write_text("\n".join(made.ljust(length, "0") for made in make_ids(count)))
        return path

    def flux(self, *arguments: str, stdin: Path | None = None) -> Command:
        return Command([str(self.program), *arguments], self.environment, stdin)

    def peer(self, name: str, *arguments: str, stdin: Path | None = None) -> Command:
        program = "flux" if name == "flux-pro-cli" else "python"
        environment = self.environment | self._bundle
        return Command([str(self.peers[name].bin / program), *arguments], environment, stdin)

    def shell(self, script: str, stdin: Path | None = None, *, is_peer: bool = False) -> Command:
        environment = self.environment | (self._bundle if is_peer else {})
        return Command(["bash", "-c", script], environment, stdin)

    def floor(self, mode: str, *ids: str, stdin: Path | None = None) -> Command:
        script = str(HERE / "floor.py")
        return Command([sys.executable, script, mode, *ids], self.environment, stdin)

    def curl(self, ids: Iterable[str]) -> Command:
        words = ",".join(f'"{task_id}"' for task_id in ids)
        body = f'{{"action":"retrieve_batch","ids":[{words}],"limit":50}}'
        header = f"authorization: Bearer {TOKEN}"
        curl = shutil.which("curl") or "curl"
        arguments = [curl, "-sS", "-H", header, "-d", body, f"{self.url}/flux/tasks"]
        return Command(arguments, self.environment | self._bundle)


def make_ids(count: int) -> list[str]:
    return [str(uuid.UUID(int=number << 96 | number)) for number in range(1, count + 1)]
