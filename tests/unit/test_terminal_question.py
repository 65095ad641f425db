"""What the terminal is asked, what it may answer, and what is left behind: in virtual time."""

import os
import select
import signal
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from flux_cli.errors import Interrupted
from flux_cli.output.preview.question import PATIENCE, Abilities, Question, can_ask


KITTY = b"\x1b_Gi=31;OK\x1b\\"
PLAIN = b"\x1b[?62;22c"


@dataclass
class World:
    """A terminal, and a clock that only waiting moves on."""

    user: int  # the side of the terminal where keys are pressed
    terminal: int
    answers: list[bytes] = field(default_factory=list)
    time: float = 0.0
    step: float = 0.0  # seconds that each answer takes to come

    def wait(self, descriptor: int, seconds: float) -> bool:
        if not seconds:
            return self.has_input()
        if not self.answers:
            self.time += seconds
            return False
        self.time += min(seconds, self.step)
        os.write(self.user, self.answers.pop(0))
        return bool(select.select([descriptor], [], [], 60)[0])

    def has_input(self) -> bool:
        return bool(select.select([self.terminal], [], [], 0)[0])

    def question(self, wait: Callable[[int, float], bool] | None = None) -> Question:
        return Question(self.terminal, clock=lambda: self.time, wait=wait or self.wait)

    def ask(self) -> Abilities:
        with self.question() as question:
            return question.ask()


@pytest.fixture
def world() -> Iterator[World]:
    user, terminal = os.openpty()
    world = World(user, terminal)
    before = termios.tcgetattr(terminal)
    yield world
    assert termios.tcgetattr(terminal) == before
    os.close(user)
    os.close(terminal)


@pytest.mark.parametrize(
    ("answers", "abilities"),
    [
        ([KITTY + PLAIN], Abilities(kitty=True)),
        ([KITTY[:4], KITTY[4:] + PLAIN[:3], PLAIN[3:]], Abilities(kitty=True)),
        ([b"\x1bP>|iTerm2 3.5.0\x1b\\" + PLAIN], Abilities(iterm=True)),
        ([b"\x1bP>|WezTerm 2026\x1b\\\x1b[?65;4;6;18;22c"], Abilities(iterm=True, sixel=True)),
        ([b"\x1bP>|XTerm(400)\x1b\\\x1b[?64;1;4c"], Abilities(sixel=True)),
        ([b"\x1b[?62;14;44c"], Abilities()),
        ([b"\x1b_Gi=31;ENOTSUPPORTED\x1b\\" + PLAIN], Abilities()),
    ],
)
def test_what_a_terminal_says_of_itself(
    world: World, answers: list[bytes], abilities: Abilities
) -> None:
    world.answers = answers
    assert world.ask() == abilities
    assert world.time < PATIENCE
    assert not world.has_input()
    asked = os.read(world.user, 1000)
    assert asked.endswith(b"\x1b[c")  # what every terminal answers comes last
    assert b"a=q" in asked


def test_a_terminal_that_never_answers_costs_a_fifth_of_a_second(world: World) -> None:
    assert world.ask() == Abilities()
    assert world.time == PATIENCE == 0.2


def test_nor_does_one_that_drips(world: World) -> None:
    world.answers, world.step = [b"\x1b[?6"] + [b"2"] * 100, 0.03
    assert world.ask() == Abilities()
    assert world.time <= PATIENCE + world.step
    assert not world.has_input()


@pytest.mark.parametrize(
    "answer",
    [
        b"\x1b" * 3000,
        b"\x1b[?" + b"4;" * 1500 + b"c",
        b"\x1b[2J\x1b]0;owned\x07rm -rf ~\n" * 50,
        b"\x1bP>|iTerm2" + b"A" * 2000 + b"\x1b\\",
        bytes(byte for byte in range(256) if byte not in (3, 4, 17, 19, 26, 28)) * 8,
    ],
)
def test_a_hostile_answer_is_no_ability_and_nothing_of_it_stays(
    world: World, answer: bytes
) -> None:
    world.answers = [answer] * 5
    assert world.ask() == Abilities()
    assert not world.has_input()


def test_an_answer_that_comes_too_late_is_thrown_away_at_the_end(world: World) -> None:
    with world.question() as question:
        assert question.ask() == Abilities()
        os.read(world.user, 1000)
        os.write(world.user, KITTY + PLAIN)
        assert not select.select([world.user], [], [], 0)[0]  # nor is it shown
    assert not world.has_input()


def test_what_was_typed_before_stays_to_be_read(world: World) -> None:
    os.write(world.user, b"ls\n")
    shown = b""
    while shown != b"ls\r\n":  # once the terminal shows it, it has arrived
        shown += os.read(world.user, 100)
    assert world.ask() == Abilities()
    assert os.read(world.terminal, 100) == b"ls\n"
    assert not select.select([world.user], [], [], 0)[0]  # nothing was asked


def test_ctrl_c_while_it_asks_leaves_the_terminal_as_it_was(world: World) -> None:
    def interrupt(descriptor: int, seconds: float) -> bool:
        if seconds:
            raise Interrupted(signal.SIGINT)
        return world.wait(descriptor, seconds)

    with pytest.raises(Interrupted), world.question(interrupt) as question:
        question.ask()


def test_ctrl_c_is_a_signal_while_it_asks(world: World) -> None:
    modes = []

    def look(descriptor: int, seconds: float) -> bool:
        modes.append(termios.tcgetattr(descriptor)[3])
        return world.wait(descriptor, seconds)

    with world.question(look) as question:
        question.ask()
    assert all(mode & termios.ISIG and not mode & termios.ECHO for mode in modes)


def test_a_terminal_that_is_gone_is_no_trouble(world: World) -> None:
    reader, writer = os.pipe()
    with Question(reader, clock=lambda: world.time) as question:
        assert question.ask() == Abilities()
    os.close(reader)
    os.close(writer)


def test_only_one_and_the_same_terminal_is_asked(world: World) -> None:
    other_user, other = os.openpty()
    with open(world.terminal, closefd=False) as stdin:
        assert can_ask(stdin, world.terminal, term="xterm")
        assert not can_ask(stdin, other, term="xterm")
        assert not can_ask(None, world.terminal, term="xterm")
        for term in ("", "dumb", "linux"):
            assert not can_ask(stdin, world.terminal, term=term)
    for descriptor in (other_user, other):
        os.close(descriptor)
