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
from flux_cli.config.accounts import Account, no_token, stored_account
from flux_cli.config.settings import (
    BaseUrl,
    FoundToken,
    find_base_url,
    token_from_environment,
    tokens_in,
)
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import NoToken, UsageError
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.storage.credentials import CredentialStore


if TYPE_CHECKING:
    from flux_cli.engine.session import Session
    from flux_cli.storage.journal import Journal


_NO_PROXY_ENTRY = re.compile(r"[\w.*:/%-]*|(https?://)?\[[0-9a-fA-F:.%]+\](:\d+)?")
_FOLDER = "flux-tasks"  # not "flux", which is also the name of another well-known program
_JOURNAL = "journal.sqlite3"


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
        return CredentialStore(
            self._folder("FLUX_CONFIG_DIR", "user_config_dir", "the token"),
            warn=lambda text: self.stderr.line(f"flux: {text}"),
            program=self.program,
        )

    def journal_path(self, file: Path | None) -> Path:
        """Return where submissions are noted: `file`, FLUX_JOURNAL, or the user's data folder.

        Raises UsageError.
        """
        if file is not None:
            return file
        if self.environment.get("FLUX_JOURNAL", "").strip():
            return self._folder("FLUX_JOURNAL", "", "")
        return self._folder("", "user_data_dir", "the journal of submissions") / _JOURNAL

    def open_journal(self, file: Path | None) -> "Journal":
        """Open the journal of submissions. Raises UsageError and JournalError."""
        from flux_cli.storage.journal import Journal

        return Journal(self.journal_path(file), now=self.now)

    def _folder(self, variable: str, kind: str, content: str) -> Path:
        """Return the path in `variable`, else that of a folder of the system, for `content`."""
        setting = self.environment.get(variable, "").strip()
        path = setting
        try:
            if not path:
                import platformdirs

                path = getattr(platformdirs, kind)(_FOLDER, appauthor=False)
            return Path(path).expanduser()
        except RuntimeError:
            raise UsageError(
                f"{variable}: {setting}: unknown home folder"
                if setting
                else f"no home folder to store {content} in",
                hint=f"Set {variable or 'FLUX_JOURNAL'} to an absolute path",
            ) from None

    def account(self, base_url: str | None, profile: str | None) -> Account:
        """Return the account to use: that of `profile` where it is given, of a variable, stored.

        Its token is kept out of stderr from now on. Raises UsageError, and NoToken for a
        token that cannot be one.
        """
        if profile is None and (found := token_from_environment(self.environment)):
            self.stderr.keep_secret(found.token)
            return Account(self._checked(find_base_url(base_url, self.environment)), None, found)
        return self.stored_account(base_url, profile)

    def stored_account(
        self, base_url: str | None, profile: str | None, *, may_be_new: bool = False
    ) -> Account:
        """Return the account of a profile, whatever the variables for a token hold."""
        self.keep_stored_secrets()
        account = stored_account(
            self.credentials,
            self.environment,
            base_url=base_url,
            profile=profile,
            may_be_new=may_be_new,
        )
        self._checked(account.base_url)
        return account

    def keep_stored_secrets(self) -> None:
        """Keep all stored tokens out of stderr: one may be given where a name belongs."""
        for credentials in self.credentials.load().by_name.values():
            for credential in credentials.values():
                self.stderr.keep_secret(credential.token)

    def _checked(self, url: BaseUrl) -> BaseUrl:
        if self.stderr.has_secret(url.text):  # which records and the name server would be told
            raise UsageError(
                f"{url.source}: the base URL contains the token",
                hint=f"Set the token in its variable, or run: {self.program} auth login",
            )
        return url

    def no_token(self, account: Account) -> NoToken:
        """Return the error that explains why `account` has no token."""
        return no_token(self.credentials, account)

    def session(
        self,
        settings: ServiceSettings,
        *,
        found: FoundToken | None = None,
        patience: float = math.inf,
        pause: float = 0.0,
    ) -> "Session":
        """Return a session with the token `found`, else with the account of the settings.

        For `patience` and `pause` see there. Raises UsageError, and NoToken for a
        token that cannot be one.
        """
        from flux_cli.engine.session import Session

        if found is not None:
            url = self._checked(find_base_url(settings.base_url, self.environment))
            account = Account(url, None, found)
        else:
            account = self.account(settings.base_url, settings.profile)
        base_url, token = account.base_url, account.found
        trace = self.stderr.line if settings.debug else None

        def connect() -> Connection:
            if token is None:
                raise self.no_token(account)
            return Connection(
                base_url=base_url.text,
                token=token.token,
                token_remedy=token.remedy,
                request_timeout=settings.request_timeout,
                concurrency=settings.concurrency,
                proxy=self._proxy(base_url.text.partition(":")[0], base_url.host),
                certificates=self.certificates,
                trace=trace,
            )

        return Session(
            settings,
            connect,
            token=token.token if token else None,
            token_source=token.source if token else "",
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
