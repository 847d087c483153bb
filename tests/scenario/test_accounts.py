"""Accounts by pattern and by list, and their secrets."""

from pathlib import Path

import pytest

from loadgen.scenario.accounts import Account, open_accounts
from loadgen.scenario.model import Accounts
from loadgen.scenario.problems import UnreadableError


def test_the_pattern_s_accounts_are_numbered_from_one() -> None:
    book = open_accounts(Accounts(count=3), environ={})
    assert book.count == 3
    assert book.account(1) == Account("user1@example.test", "user1@example.test", "secret1")
    assert book.address(3) == "user3@example.test"


@pytest.mark.parametrize(
    ("login", "expected"),
    [(None, "u7@x.test"), ("{local}", "u7"), ("mbox{n}", "mbox7"), ("{address}", "u7@x.test"), ("{n}{local}", "7u7")],
)
def test_a_login_is_made_from_its_own_pattern(login: str | None, expected: str) -> None:
    book = open_accounts(Accounts(pattern="u{n}@x.test", login=login, count=9), environ={})
    assert book.account(7).login == expected


def test_a_password_may_come_from_the_environment_and_may_be_numbered() -> None:
    book = open_accounts(Accounts(password="env:MAIL_PW"), environ={"MAIL_PW": "pw{n}"})
    assert book.account(4).password == "pw4"


def test_a_secret_is_in_no_repr() -> None:
    book = open_accounts(Accounts(password="hunter2"), environ={})
    assert "hunter2" not in repr(book) + repr(book.account(1))


def test_accounts_may_be_listed_in_a_file_with_or_without_a_heading(tmp_path: Path) -> None:
    for heading in ("", "address,login,password\n"):
        path = tmp_path / "people.csv"
        path.write_text(f'{heading}a@example.test,a,"x,y"\n\n b@example.test , b , z \n')
        book = open_accounts(Accounts(file=str(path)), environ={})
        assert [book.account(n) for n in range(1, book.count + 1)] == [
            Account("a@example.test", "a", "x,y"),
            Account("b@example.test", "b", "z"),
        ]
        assert book.address(2) == "b@example.test"
        assert "x,y" not in repr(book)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ["lists no account"]),
        (b"a@example.test,a\n", ["line 1 of {path}: expected address,login,password"]),
        (b"\na@x.test,a,b\nb@x.test,,c\nc\n", ["line 3 of {path}", "line 4 of {path}"]),
        (b"caf\xe9@x.test,a,b\n", ["cannot read {path}: 'utf-8' codec"]),
    ],
)
def test_every_line_that_is_no_account_is_named(content: bytes, said: list[str], tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as caught:
        open_accounts(Accounts(file=str(path)), environ={})
    problems = [str(problem) for problem in caught.value.problems]
    assert len(problems) == len(said)
    for problem, sentence in zip(problems, said, strict=True):
        assert sentence.format(path=path) in problem
