"""Which certificates are trusted: the system's, with what was added to it, without any setting."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
import trustme
import truststore

from flux_cli.api.certificates import Certificates
from flux_cli.errors import ExitCode
from flux_cli.models.media import Media
from tests.faults.rows import IDS
from tests.support.authority import add_to_folder, subject_hash
from tests.support.fault_server import FaultServer, Request, Step, reply
from tests.support.media import FILES
from tests.support.patience import LONGEST
from tests.support.program import Program, Run, decode
from tests.support.records import batch, finished


ON_A_SYSTEM = """
import ssl, sys
from flux_cli.api import certificates
certificates.SYSTEM = certificates.Places((sys.argv.pop(1),), (sys.argv.pop(1),))
own = ssl.get_default_verify_paths()._replace(openssl_capath="/none", openssl_cafile="/none")
ssl.get_default_verify_paths = lambda: own
make = ssl.create_default_context
def make_and_say(**names):
    print("certificates:", names, file=sys.stderr)
    return make(**names)
ssl.create_default_context = make_and_say
from flux_cli.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def company() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def others() -> list[trustme.CA]:
    """Authorities of the kind that every system trusts, as many as are enough."""
    return [trustme.CA(key_type=trustme.KeyType.ECDSA) for _ in range(20)]


@pytest.fixture
def server(company: trustme.CA) -> Iterator[FaultServer]:
    """A service, and the files it links to, with a certificate of the company's authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("localhost").configure_cert(context)

    def script(request: Request) -> list[Step]:
        if request.path != "/flux/tasks":
            return [reply(200, FILES[Media.PNG])]
        data = {"data": [{"image_url": f"{made.url}/picture.png"}]}
        return [reply(200, batch(finished(task_id, response=data) for task_id in request.ids))]

    with FaultServer(script, tls=context) as made:
        yield made


def run_on(folder: Path, bundle: Path, flux: Program, *arguments: str) -> Run:
    """Run flux where the system keeps its certificates in these places."""
    run = subprocess.run(
        [sys.executable, "-c", ON_A_SYSTEM, str(folder), str(bundle), *arguments],
        capture_output=True,
        env=flux.variables({}),
        cwd=flux.folder,
        timeout=LONGEST,
        check=False,
    )
    return flux.check(Run(arguments, run.returncode, run.stdout, decode(run.stderr)))


def test_what_a_company_added_to_its_systems_works_without_any_setting(
    flux: Program, server: FaultServer, company: trustme.CA, others: list[trustme.CA]
) -> None:
    """For the service and for the files, with one reading of certificates."""
    folder = flux.folder / "certs"
    add_to_folder(folder, company, *others)
    arguments = ("tasks", "download", "-q", "--base-url", server.url, *IDS)
    run = run_on(folder, flux.folder / "none", flux, *arguments).expect(ExitCode.OK)
    assert len(list(flux.folder.glob("*.png"))) == len(IDS)
    assert run.stderr == f"certificates: {{'cafile': None, 'capath': '{folder}'}}\n"
    (folder / f"{subject_hash(company.cert_pem.bytes())}.0").unlink()
    run = run_on(folder, flux.folder / "none", flux, *arguments)
    run.expect(ExitCode.NO_ANSWER, stderr="localhost: the connection is not secure: ")


@pytest.mark.parametrize("where", ["in the bundle", "in the folder beside it"])
def test_without_a_folder_that_holds_enough_the_bundle_is_read(
    flux: Program,
    server: FaultServer,
    company: trustme.CA,
    others: list[trustme.CA],
    where: str,
) -> None:
    """The folder may hold a few that were added by hand, or links that lead nowhere."""
    folder, bundle = flux.folder / "certs", flux.folder / "bundle.pem"
    in_bundle, in_folder = (
        (company, others[0]) if where == "in the bundle" else (others[0], company)
    )
    in_bundle.cert_pem.write_to_path(bundle)
    add_to_folder(folder, in_folder)
    for number in range(100):
        (folder / f"{number:08x}.0").symlink_to("/none")
    run = run_on(folder, bundle, flux, "tasks", "check", "-q", "--base-url", server.url, *IDS)
    assert run.expect(ExitCode.OK).states == dict.fromkeys(IDS, "succeeded")
    assert run.stderr == f"certificates: {{'cafile': '{bundle}', 'capath': '{folder}'}}\n"


def test_a_system_without_certificates_trusts_what_mozilla_does(
    flux: Program, server: FaultServer
) -> None:
    none = flux.folder / "none"
    run = run_on(none, none, flux, "tasks", "check", "--base-url", server.url, *IDS)
    run.expect(ExitCode.NO_ANSWER, stderr="localhost: the connection is not secure: ")
    assert f"{{'cafile': '{certifi.where()}', 'capath': None}}" in run.stderr


def test_a_bundle_is_read_ahead_and_once(flux: Program, company: trustme.CA) -> None:
    """While the program is imported, and only where it is likely to speak https."""
    bundle = flux.folder / "bundle.pem"
    company.cert_pem.write_to_path(bundle)
    read = f"certificates: {{'cafile': '{bundle}', 'capath': None}}\n"
    url = "https://localhost:1"
    for arguments, variables, expected in (
        (("tasks", "check", "a-1"), {"FLUX_API_BASE_URL": url}, read),
        (("tasks", "check", "a-1"), {"FLUX_API_BASE_URL": "http://localhost:1"}, ""),
        (("tasks", "check", "--help"), {"FLUX_API_BASE_URL": url}, ""),
        (("help",), {"FLUX_API_BASE_URL": url}, ""),
    ):
        flux.environment |= variables
        run = run_on(flux.folder / "none", bundle, flux, *arguments)
        assert "".join(run.stderr.partition(read)[1:2]) == expected, arguments
        assert run.stderr.count("certificates:") == bool(expected)


def test_settings_come_before_the_system(
    flux: Program, server: FaultServer, company: trustme.CA, others: list[trustme.CA]
) -> None:
    """Where both are set, a folder that is not there does no harm."""
    system, folder, file = (flux.folder / name for name in ("system", "certs", "file.pem"))
    add_to_folder(system, *others)
    add_to_folder(folder, company)
    company.cert_pem.write_to_path(file)
    for variables in (
        {"SSL_CERT_FILE": str(file), "SSL_CERT_DIR": "/none"},
        {"SSL_CERT_DIR": f"/none:{folder}", "SSL_CERT_FILE": ""},
    ):
        flux.environment |= variables
        arguments = ("tasks", "check", "--base-url", server.url, *IDS)
        run_on(system, flux.folder / "none", flux, *arguments).expect(ExitCode.OK)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_system_itself_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, company: trustme.CA, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert isinstance(Certificates().context(), truststore.SSLContext)
    company.cert_pem.write_to_path(tmp_path / "file.pem")
    named = Certificates({"SSL_CERT_FILE": str(tmp_path / "file.pem")}).context()
    assert not isinstance(named, truststore.SSLContext)
    assert len(named.get_ca_certs()) == 1
