"""The outside world in one object: environment, folders, streams, clock, network.

Built once for each call of the program, and handed down. Nothing below
`runtime` reads the environment or touches a standard stream; tests build one
of their own.
"""

import contextlib
import math
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from flux_cli import interrupts
from flux_cli.api.certificates import Certificates
from flux_cli.api.connection import Connection, Proxy
from flux_cli.api.ip_rules import is_loopback
from flux_cli.config.settings import (
    BaseUrl,
    FoundToken,
    find_base_url,
    no_token,
    token_from_environment,
    token_from_store,
    tokens_in,
)
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import NoToken, UsageError
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.storage.credentials import CredentialStore


if TYPE_CHECKING:
    from flux_cli.engine.session import Session


_NO_PROXY_ENTRY = re.compile(r"[\w.*:/%-]*|(https?://)?\[[0-9a-fA-F:.%]+\](:\d+)?")
_FOLDER = "flux-tasks"  # not "flux", which is also the name of another well-known program


@dataclass(eq=False, repr=False)
class Runtime:
    """What a command may use of the world around it."""

    environment: Mapping[str, str]
    stdin: TextIO | None
    stdout: Stdout
    stderr: Stderr
    now: Callable[[], float] = time.time  # Unix seconds
    clock: Callable[[], float] = time.monotonic  # seconds
    sleep: Callable[[float], None] = interrupts.sleep
    certificates: Certificates = field(default_factory=Certificates)
    program: str = "flux"  # the name it was called by, which hints show

    @classmethod
    def of_process(cls, program: str) -> "Runtime":
        """Return the world of this process, which was called as `program`."""
        world = os.environ
        out, err = Stdout(sys.stdout, world), Stderr(sys.stderr, world)
        for token in tokens_in(world):
            err.keep_secret(token)
        return cls(world, sys.stdin, out, err, certificates=Certificates(world), program=program)

    def read_ahead(self, words: Sequence[str]) -> None:
        """Read what the command line in `words` will need and what takes long to read."""
        if words[:1] == ["tasks"] and not {"-h", "--help"}.intersection(words):
            with contextlib.suppress(UsageError):  # said when it is asked for
                if find_base_url(None, self.environment).text.startswith("https:"):
                    self.certificates.read_ahead()

    @property
    def stdin_is_terminal(self) -> bool:
        return self.stdin is not None and self.stdin.isatty()

    @cached_property
    def credentials(self) -> CredentialStore:
        """The store in FLUX_CONFIG_DIR, or in the user's config folder. Raises UsageError."""
        setting = self.environment.get("FLUX_CONFIG_DIR", "").strip()
        folder = setting
        try:
            if not folder:
                import platformdirs

                folder = platformdirs.user_config_dir(_FOLDER, appauthor=False)
            path = Path(folder).expanduser()
        except RuntimeError:
            raise UsageError(
                f"FLUX_CONFIG_DIR: {setting}: unknown home folder"
                if setting
                else "no home folder to store the token in",
                hint="Set FLUX_CONFIG_DIR to an absolute path",
            ) from None
        return CredentialStore(
            path,
            warn=lambda text: self.stderr.line(f"flux: {text}"),
            program=self.program,
        )

    def base_url(self, option: str | None) -> BaseUrl:
        """Return the base URL to use. Raises UsageError for a bad one."""
        url = find_base_url(option, self.environment)
        if self.stderr.has_secret(url.text):  # which records and the name server would be told
            raise UsageError(
                f"{url.source}: the base URL contains the token",
                hint="Set the token in its variable or with flux auth login, nowhere else",
            )
        return url

    def find_token(self, base_url: BaseUrl) -> FoundToken | None:
        """Return the token for `base_url`: from the environment, else the stored one.

        It is kept out of stderr from now on.
        """
        found = token_from_environment(self.environment) or token_from_store(
            self.credentials, base_url
        )
        if found is not None:
            self.stderr.keep_secret(found.token)
        return found

    def no_token(self, base_url: BaseUrl) -> NoToken:
        """Return the error that explains why there is no token for `base_url`."""
        return no_token(self.credentials, base_url)

    def session(
        self,
        settings: ServiceSettings,
        *,
        found: FoundToken | None = None,
        patience: float = math.inf,
        pause: float = 0.0,
    ) -> "Session":
        """Return a session with the account of `found`, else of the token that is found.

        For `patience` and `pause` see there. Raises UsageError, and NoToken for a
        token that cannot be one.
        """
        from flux_cli.engine.session import Session

        base_url = self.base_url(settings.base_url)
        account = found or self.find_token(base_url)
        trace = self.stderr.line if settings.debug else None

        def connect() -> Connection:
            if account is None:
                raise self.no_token(base_url)
            return Connection(
                base_url=base_url.text,
                token=account.token,
                token_remedy=account.remedy,
                request_timeout=settings.request_timeout,
                concurrency=settings.concurrency,
                proxy=self._proxy(base_url.text.partition(":")[0], base_url.host),
                certificates=self.certificates,
                trace=trace,
            )

        return Session(
            settings,
            connect,
            token=account.token if account else None,
            token_source=account.source if account else "",
            route=self._proxy,
            allows_local_files=is_loopback(base_url.host),
            certificates=self.certificates,
            trace=trace,
            patience=patience,
            pause=pause,
            now=self.now,
            clock=self.clock,
        )

    def _proxy(self, scheme: str, host: str) -> Proxy | None:
        """Return the proxy for the URLs of a host; this machine needs none."""
        if is_loopback(host):
            return None
        from urllib.request import getproxies, proxy_bypass

        proxies = getproxies()
        kind = next((kind for kind in (scheme, "all") if proxies.get(kind)), None)
        if kind is None:
            return None
        self._check_no_proxy()
        if proxy_bypass(host):
            return None
        url = proxies[kind]
        names = (f"{kind}_proxy", f"{kind.upper()}_PROXY")
        name = next((n for n in names if self.environment.get(n)), "the system's proxy")
        return Proxy(url if "://" in url else f"http://{url}", name)

    def _check_no_proxy(self) -> None:
        """Refuse exceptions that cannot be read, rather than send what they mean to the proxy."""
        for name in ("no_proxy", "NO_PROXY"):
            for entry in self.environment.get(name, "").split(","):
                if not _NO_PROXY_ENTRY.fullmatch(entry.strip()):
                    raise UsageError(
                        f'{name}: "{entry.strip()}" is not a host or an address',
                        hint="Separate hosts with commas: localhost,.example.com",
                    )
