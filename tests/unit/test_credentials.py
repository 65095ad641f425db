"""The credential store: whole or absent, nobody else's, the same as a dict."""

import errno
import itertools
import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.errors import OutputError, UsageError
from flux_cli.storage.credentials import DEFAULT_PROFILE, Credential, CredentialStore, Profiles
from flux_cli.token import Token


TOKEN = "test-token-not-a-secret"  # noqa: S105 - says so itself
ORIGIN = "https://api.example"


def make(folder: Path) -> tuple[CredentialStore, list[str]]:
    warnings: list[str] = []
    return CredentialStore(folder, warn=warnings.append), warnings


def saved(folder: Path, origin: str = ORIGIN, profile: str = DEFAULT_PROFILE) -> None:
    make(folder)[0].save(profile, origin, Credential(Token(TOKEN), 5.0))


def tokens(folder: Path, profile: str = DEFAULT_PROFILE) -> dict[str, str]:
    loaded = make(folder)[0].load().of(profile)
    return {origin: credential.token.reveal() for origin, credential in loaded.items()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_saves_loads_and_deletes(tmp_path: Path) -> None:
    store, warnings = make(tmp_path)
    assert store.load() == Profiles()
    assert not store.delete(DEFAULT_PROFILE, ORIGIN)
    saved(tmp_path)
    loaded = make(tmp_path)[0].load().of(DEFAULT_PROFILE)[ORIGIN]
    assert (loaded.token.reveal(), loaded.saved_at) == (TOKEN, 5.0)
    assert store.delete(DEFAULT_PROFILE, ORIGIN)
    assert store.load() == Profiles()
    assert warnings == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_only_the_owner_can_read_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "config"
    before = os.umask(umask)
    try:
        saved(folder)
        saved(folder, "https://other.example")
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert mode(folder / "credentials.json") == 0o600
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "credentials.json"]


def test_a_folder_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    saved(tmp_path)
    assert mode(tmp_path) == 0o755


def with_name(name: str) -> str:
    entry = f'{{"token": "{TOKEN}", "saved_at": 1, "base_url": "{ORIGIN}"}}'
    return (
        f'{{"version": 2, "active": "default", "profiles": {{"{name}": {{"{ORIGIN}": {entry}}}}}}}'
    )


def test_a_file_of_the_first_version_is_the_default_profile(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    entry = {"token": TOKEN, "saved_at": 5.0}
    other = "http://127.0.0.1:8000"
    path.write_text(json.dumps({"version": 1, "credentials": {ORIGIN: entry, other: entry}}))
    path.chmod(0o600)
    assert tokens(tmp_path) == {ORIGIN: TOKEN, other: TOKEN}
    saved(tmp_path, ORIGIN, "work")
    document = json.loads(path.read_text())
    assert (document["version"], document["active"]) == (2, "default")
    assert list(document["profiles"]) == ["default", "work"]
    assert tokens(tmp_path) == {ORIGIN: TOKEN, other: TOKEN}
    assert not list(tmp_path.glob("*.unusable-*"))


def test_the_first_profile_is_active_until_another_is_chosen(tmp_path: Path) -> None:
    saved(tmp_path, profile="home")
    saved(tmp_path, profile="work")
    store = make(tmp_path)[0]
    assert store.load().active == "home"
    assert not store.switch("gone")
    assert store.switch("work")
    assert make(tmp_path)[0].load().active == "work"
    assert store.delete("work", ORIGIN)
    assert make(tmp_path)[0].load().active == "default"
    assert list(make(tmp_path)[0].load().by_name) == ["home"]


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"version": 1}', "damaged"),
        ('{"version": 1, "credentials": {"x": {"token": "a b", "saved_at": 1}}}', "damaged"),
        ('{"version": 1, "credentials": {"x": {"token": "ab"}}}', "damaged"),
        ("[" * 100_000, "damaged"),
        ('{"version": 2, "active": "default"}', "damaged"),
        ('{"version": 2, "active": "gone", "profiles": {}}', "damaged"),
        ('{"version": 2, "active": [], "profiles": {}}', "damaged"),
        ('{"version": 2, "active": "default", "profiles": {"work": {}}}', "damaged"),
        (with_name("../work"), "damaged"),
        (with_name("work\\n"), "damaged"),
        (with_name(""), "damaged"),
        ('{"version": 3, "profiles": {}}', "written by a newer version of flux"),
    ],
)
def test_an_unusable_file_is_logged_out_and_kept_aside(
    tmp_path: Path, content: str, warning: str
) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)
    store, warnings = make(tmp_path)
    assert store.load() == Profiles()
    assert len(warnings) == 1
    assert warning in warnings[0]
    assert path.read_text() == content
    saved(tmp_path)
    assert tokens(tmp_path) == {ORIGIN: TOKEN}
    (aside,) = tmp_path.glob("*.unusable-*")
    assert aside.read_text() == content


def test_a_file_that_others_can_read_is_reported(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "credentials.json").chmod(0o644)
    store, warnings = make(tmp_path)
    assert ORIGIN in store.load().of(DEFAULT_PROFILE)
    assert len(warnings) == 1
    assert "other users can read it" in warnings[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_reported(tmp_path: Path) -> None:
    saved(tmp_path)
    os.chown(tmp_path / "credentials.json", 12345, -1)
    store, warnings = make(tmp_path)
    store.load()
    assert len(warnings) == 1
    assert "belongs to another user (uid 12345)" in warnings[0]


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    saved(tmp_path / "real")
    (tmp_path / "real" / "credentials.json").rename(elsewhere)
    (tmp_path / "credentials.json").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="symbolic link"):
        make(tmp_path)[0].load()


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "credentials.json")
    with pytest.raises(UsageError, match="not a regular file"):
        make(tmp_path)[0].load()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"credentials\.json: cannot be written: Not a dir"):
        saved(tmp_path / "file" / "config")


@pytest.mark.parametrize("bits", [0o777, 0o1777, 0o770, 0o702])
def test_a_folder_that_others_can_change_is_reported_once(tmp_path: Path, bits: int) -> None:
    tmp_path.chmod(bits)
    for has_file in (False, True):
        store, warnings = make(tmp_path)
        assert (ORIGIN in store.load().of(DEFAULT_PROFILE)) is has_file
        store.load(anew=True)
        store.save(DEFAULT_PROFILE, ORIGIN, Credential(Token(TOKEN), 5.0))
        assert warnings == [f"{tmp_path}: other users can write to it. Run: chmod 700 {tmp_path}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_reported(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, -1)
    store, warnings = make(tmp_path)
    store.save(DEFAULT_PROFILE, ORIGIN, Credential(Token(TOKEN), 5.0))
    assert warnings == [f"{tmp_path}: belongs to another user (uid 12345)"]


@pytest.mark.parametrize(
    "time", ["1e300", "-1e300", "-1", "1e999", "NaN", "-Infinity", '"x"', "[]", "null", "true"]
)
def test_a_time_that_makes_no_sense_is_unknown(tmp_path: Path, time: str) -> None:
    entry = f'{{"token": "{TOKEN}", "saved_at": {time}}}'
    path = tmp_path / "credentials.json"
    path.write_text(f'{{"version": 1, "credentials": {{"{ORIGIN}": {entry}}}}}')
    path.chmod(0o600)
    store, warnings = make(tmp_path)
    assert store.load().of(DEFAULT_PROFILE)[ORIGIN].saved_at is None
    store.save(DEFAULT_PROFILE, "https://other.example", Credential(Token(TOKEN), 5.0))
    assert make(tmp_path)[0].load().of(DEFAULT_PROFILE)[ORIGIN].saved_at is None
    assert warnings == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        *[(n, UsageError) for n in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)],
        *[(n, OutputError) for n in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)],
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_a_wrong_folder_is_told_from_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=os.strerror(number)):
        saved(tmp_path)


@pytest.mark.parametrize("step", ["open", "fsync", "fchmod", "replace"])
def test_a_failure_at_any_step_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    saved(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    elif step == "open":
        monkeypatch.setattr(os, "fdopen", fail)
    else:
        monkeypatch.setattr(os, step, fail)
    with pytest.raises((OutputError, UsageError)):
        saved(tmp_path, "https://other.example")
    monkeypatch.undo()
    assert tokens(tmp_path) == {ORIGIN: TOKEN}
    assert not list(tmp_path.glob("*.part"))


def test_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / ".credentials.json.part").write_text("half")
    saved(tmp_path)
    assert not list(tmp_path.glob("*.part"))


def _save_many(folder: Path, worker: int) -> None:
    for number in range(10):
        saved(folder, f"https://{worker}-{number}.example")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_save_many, args=(tmp_path, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert len(tokens(tmp_path)) == 40


SYSTEM_CALLS = (
    *("open", "fdopen", "fsync", "fchmod", "chmod"),
    *("close", "replace", "rename", "unlink", "mkdir"),
)
CRASHED = 99
FORKS = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # with threads, since 3.12


def crashing(action: Callable[[], object], calls: int) -> bool:
    """Do `action` in a process that dies after so many system calls; True if it did."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == CRASHED
    left = itertools.count(calls - 1, -1)

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: Any, **options: Any) -> object:
            result = real(*arguments, **options)
            if next(left) <= 0:
                os._exit(CRASHED)
            return result

        return call

    for name in SYSTEM_CALLS:
        setattr(os, name, dying(getattr(os, name)))
    try:
        action()
    finally:
        os._exit(0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["save", "delete"]),
        st.sampled_from("abc"),
        st.none() | st.integers(1, 24),  # system calls until the process dies
    ),
    max_size=12,
)


@FORKS
@given(STEPS)
def test_the_store_is_a_dict_whatever_crashes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int | None]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    model: dict[str, str] = {}
    for number, (action, origin, calls) in enumerate(steps):
        token = f"{TOKEN}-{number}"
        changed = {o: t for o, t in model.items() if o != origin}
        if action == "save":
            changed[origin] = token

        def act(action: str = action, origin: str = origin, token: str = token) -> None:
            store, warnings = make(folder)
            if action == "save":
                store.save(DEFAULT_PROFILE, origin, Credential(Token(token), 5.0))
            else:
                store.delete(DEFAULT_PROFILE, origin)
            assert warnings == []

        if calls is not None and crashing(act, calls):
            assert tokens(folder) in (model, changed)
        else:
            if calls is None:
                act()
            assert tokens(folder) == changed
        model = tokens(folder)
        if (folder / "credentials.json").exists():
            assert mode(folder / "credentials.json") == 0o600
    saved(folder, "last")
    assert not list(folder.glob("*.part"))
    assert json.loads((folder / "credentials.json").read_text())["version"] == 2


@FORKS
def test_a_crash_is_tried_at_every_system_call(tmp_path: Path) -> None:
    crashes = [crashing(lambda: saved(tmp_path / "new"), calls) for calls in range(1, 40)]
    assert crashes[:8] == [True] * 8
    assert crashes[-1] is False  # 40 are more than there are
