"""Curve files: what a good one becomes, and every sentence a bad one gets."""

from fractions import Fraction
from pathlib import Path

import pytest

from loadgen.scenario.curve import POINTS_MAX, CurveFile, Point
from loadgen.scenario.problems import UnreadableError

NS_PER_S = 10**9


def read(path: Path, text: str | bytes) -> tuple[Point, ...]:
    file = path / "day.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CurveFile.parse(str(file)).points.points


def said_of(path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(UnreadableError) as caught:
        read(path, text)
    return [str(problem).replace(str(path), "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        "0,1\n90,0.5\n",
        "instant,rate\n0,1\n90,0.5\n",
        "# the quiet end of a day\n\nrate , instant\n 1 , 22:00\n# no comment\n30/min,22:01:30\n",
        "2024-03-01T22:00:00Z,1\r\n2024-03-01T23:01:30+01:00,0.5\r\n",
        b"\xef\xbb\xbf100,1\n190,0.5\n",                                # as spreadsheets write it
    ],
)
def test_a_curve_is_exact_whatever_its_notation(text: str | bytes, tmp_path: Path) -> None:
    assert read(tmp_path, text) == (Point(0, Fraction(1)), Point(90 * NS_PER_S, Fraction(1, 2)))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["/day.csv has no two points at different instants, and a curve goes from one to the next"]),
        ("0,1\n", ["/day.csv has no two points at different instants, and a curve goes from one to the next"]),
        ("5,1\n5,2\n", ["/day.csv has no two points at different instants, and a curve goes from one to the next"]),
        ("0,1\n9,fast\n", ['line 2 of /day.csv: got "fast", expected a rate: a number per second such as 200 or 0.5, '
                           'or text such as "90/min"']),
        ("0,1\n9,-1\n", ["line 2 of /day.csv: got -1, expected a rate from 0 to 1000000 per second"]),
        ("0,1\n9,nan\n", ["line 2 of /day.csv: got nan, expected a rate: a number per second such as 200 or 0.5, "
                          'or text such as "90/min"']),
        ("0,1\nnoon,2\n", ['line 2 of /day.csv: got "noon", expected seconds, a time of day or an RFC 3339 instant']),
        ("0,1\n9,1\n8,1\n", ["line 3 of /day.csv: 8 comes before the instant on line 2: they must ascend"]),
        ("0,1\n\n08:00,1\n", ['line 3 of /day.csv: got "08:00", expected seconds as before: a file has instants of '
                              "one kind"]),
        ("0,1\n9\n", ["line 2 of /day.csv: expected instant,rate"]),
        ("0,1\n9,1,1\n", ["line 2 of /day.csv: expected instant,rate"]),
        ("0,1\n,1\n", ["line 2 of /day.csv: expected instant,rate"]),
        ("instant,rat\n0,1\n", ['line 1 of /day.csv: unknown column "rat"; did you mean `rate`?',
                                "line 1 of /day.csv: the column rate is missing"]),
        ("rate,rate\n0,1\n", ["line 1 of /day.csv: a column is named twice",
                              "line 1 of /day.csv: the column instant is missing"]),
        ("0,1\nx,y\n", ['line 2 of /day.csv: got "x", expected seconds, a time of day or an RFC 3339 instant',
                        'line 2 of /day.csv: got "y", expected a rate: a number per second such as 200 or 0.5, or '
                        'text such as "90/min"']),
        (b"0,1\ncaf\xe9,1\n", ["/day.csv is not UTF-8 text (octet 7)"]),
        ('0,1\n"9' + "9" * 200_000, ["line 2 of /day.csv: field larger than field limit (131072)"]),
    ],
)   # fmt: skip
def test_every_line_that_is_no_point_is_named(text: str | bytes, sentences: list[str], tmp_path: Path) -> None:
    assert said_of(tmp_path, text) == sentences


def test_a_file_of_another_kind_is_given_up_after_ten_lines(tmp_path: Path) -> None:
    assert len(said_of(tmp_path, "Dear all,\n" * 100_000)) == 10


def test_a_curve_of_too_many_points_is_refused(tmp_path: Path) -> None:
    text = "".join(f"{second},1\n" for second in range(POINTS_MAX + 5))
    assert said_of(tmp_path, text) == [f"line 100001 of /day.csv: more than {POINTS_MAX} points are no curve to follow"]


def test_a_file_that_cannot_be_read_gets_its_sentence(tmp_path: Path) -> None:
    for file, sentence in [
        (str(tmp_path / "none.csv"), f"no such file: {tmp_path}/none.csv"),
        (str(tmp_path), f"cannot read {tmp_path}: Is a directory"),
        ("", 'got "", expected the name of a CSV file of instant,rate such as "day.csv"'),
        (3, 'got 3, expected the name of a CSV file of instant,rate such as "day.csv"'),
    ]:
        with pytest.raises(UnreadableError) as caught:
            CurveFile.parse(file)
        assert [str(problem) for problem in caught.value.problems] == [sentence]
