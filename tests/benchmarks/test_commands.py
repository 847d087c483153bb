"""What is run: the peers' command lines, and scenarios that mailproof itself accepts."""

import sys
from pathlib import Path

import pytest

from benchmarks import place
from benchmarks.clients.mail import mail_of
from benchmarks.comparisons.clients import client_command, locust_command, postal_command
from benchmarks.comparisons.filled import SERVERS, Filled
from benchmarks.comparisons.filled import Work as Maildrops
from benchmarks.comparisons.maildrops import WORKS
from benchmarks.comparisons.retrievers import mpop_command, mpop_configuration, rabid_command
from benchmarks.comparisons.source import Mode, Work, work_for
from benchmarks.scenario import SOURCE_HEADER_OCTETS, Deliveries, Held, Listings, Retrievals, Soak
from benchmarks.turn import CLIENT_CORE, CannotRunError, pinned
from loadgen.scenario.arrivals import Constant
from loadgen.scenario.distributions import Counts
from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import ClosedLoad, OpenLoad, Scenario, SmtpDeliver
from loadgen.scenario.steps import StepsSession


def loaded(toml: str, directory: Path) -> Scenario:
    path = directory / "scenario.toml"
    path.write_text(toml, encoding="utf-8")
    return load_scenario(str(path), overrides=[], urls={}, seed=None, authorized=False)


def test_a_pinned_command_is_held_on_its_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr("shutil.which", lambda _: "taskset")
    assert pinned(["sink", "-c"], 1) == ["taskset", "-c", "1", "sink", "-c"]


@pytest.mark.parametrize("cores", [{0}, {1}])
def test_with_one_core_nothing_is_pinned(monkeypatch: pytest.MonkeyPatch, cores: set[int]) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: cores, raising=False)
    assert pinned(["sink", "-c"], CLIENT_CORE) == ["sink", "-c"]


def test_smtp_source_sends_what_mailproof_sends_a_session_for_each_message(tmp_path: Path) -> None:
    work = Work("fresh", 100, 1024, 10_000)
    options = work.source_options(2525)
    assert "-d" not in options
    assert options[:6] == ["-s", "100", "-m", "10000", "-l", "1024"]
    scenario = loaded(work.deliveries(2525).toml(), tmp_path)
    assert isinstance(scenario.load, ClosedLoad)
    assert (scenario.load.virtual_users, scenario.load.sessions) == (100, 10_000)
    [session] = scenario.sessions
    assert isinstance(session, SmtpDeliver)
    assert (session.messages, session.pipelining) == (Counts.parse(1), "never")
    assert not scenario.ledger.verify


def test_with_connections_kept_every_session_sends_its_share(tmp_path: Path) -> None:
    work = Work("reuse", 1000, 1024, 20_000)
    assert work.source_options(2525)[0] == "-d"
    scenario = loaded(work.deliveries(2525).toml(), tmp_path)
    assert isinstance(scenario.load, ClosedLoad)
    assert (scenario.load.virtual_users, scenario.load.sessions) == (1000, 1000)
    [session] = scenario.sessions
    assert isinstance(session, SmtpDeliver)
    assert session.messages == Counts.parse(20)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("sessions", [1, 10, 100, 1_000, 5_000, 10_000, 19_500])
@pytest.mark.parametrize("mode", ["fresh", "reuse"])
def test_the_work_divides_among_the_sessions_and_a_kept_one_has_two_messages(
    mode: Mode, sessions: int, quick: bool
) -> None:
    for payload_octets in (1024, 102_400):
        work = work_for(mode, sessions, payload_octets, quick=quick)
        deliveries = work.deliveries(2525)
        assert deliveries.sessions * deliveries.messages == work.messages
        assert deliveries.messages == 1 if mode == "fresh" else deliveries.messages >= 2


def test_both_sides_send_the_same_number_of_octets() -> None:
    assert len(mail_of(1024)) == 1024 + SOURCE_HEADER_OCTETS
    assert len(mail_of(100 * 1024)) == 100 * 1024 + SOURCE_HEADER_OCTETS
    assert f"size = {1024 + SOURCE_HEADER_OCTETS}\n" in Deliveries(2525, 1, 1, 1, 1024).toml()


def test_every_scenario_made_for_the_purpose_is_one_mailproof_accepts(tmp_path: Path) -> None:
    held = loaded(Held(2525, 20_000, 2_000, None).toml(), tmp_path)
    assert isinstance(held.load, OpenLoad)
    assert held.load.in_flight_max == 20_000
    [shape] = held.load.arrivals
    assert isinstance(shape, Constant)
    assert shape.rate.per_s * shape.duration.s == 20_000
    (tmp_path / "ca.pem").write_text("")
    assert loaded(Held(2525, 1_000, 250, tmp_path / "ca.pem").toml(), tmp_path).target.tls == "implicit"
    assert loaded(Retrievals(2110, 50, 200).toml(), tmp_path).accounts.count == 200
    listings = loaded(Listings(2110, 5, 20).toml(), tmp_path)
    assert isinstance(listings.sessions[0], StepsSession)
    for tls in (False, True):
        soak = loaded(Soak(1500, 600, tls).toml(), tmp_path)
        assert isinstance(soak.load, ClosedLoad)
        assert soak.load.duration is not None
        assert (soak.load.virtual_users, soak.load.duration.s) == (1500, 600)
        assert soak.target.tls == ("starttls" if tls else "none")
        assert not soak.ledger.verify


def test_the_clients_are_run_with_their_figures_as_words() -> None:
    command = client_command("smtplib_threads", Path(sys.executable), (2525, 100, 5000, 1024))
    assert command[-6:] == ["-m", "benchmarks.clients.smtplib_threads", "2525", "100", "5000", "1024"]


def test_locust_runs_without_its_web_page_and_all_users_at_once() -> None:
    words = " ".join(locust_command(Path("python"), 100))
    assert "-m locust -f " in words
    assert words.endswith("locust_users.py --headless -u 100 -r 100 --only-summary")


def test_postal_sends_as_fast_as_it_can_and_one_message_a_session() -> None:
    words = " ".join(postal_command(Path("postal"), 2525, Path("users")))
    assert words.endswith("postal -t 100 -c 1 -m 1 -M 1 -r 24000 [127.0.0.1]2525 users")


def test_rabid_fetches_and_deletes_all_that_it_finds() -> None:
    words = " ".join(rabid_command(Path("rabid"), 2110, 20, Path("users")))
    assert words.endswith("rabid -p 20 -d 100:100 -r 24000 [127.0.0.1]2110 users")


def test_mpops_share_out_the_accounts_and_each_finds_its_own(tmp_path: Path) -> None:
    work = Maildrops(120, 50, 1024)
    words = " ".join(mpop_command(Path("mpop"), Path("rc"), Path("names"), work))
    assert words.endswith("xargs -a names -P 50 -n 3 mpop --quiet --file=rc")
    text = mpop_configuration(2110, 120, tmp_path)
    assert text.count("\naccount ") == 120
    assert f"account 120\nuser user120@example.test\npassword secret120\ndelivery mbox {tmp_path}/120.mbox\n" in text


def test_what_is_left_in_the_maildrops_is_counted(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "user1" / folder).mkdir(parents=True)
        (tmp_path / "user1" / folder / "a").touch()
    assert Filled(2110, tmp_path).left() == 2


def test_retrievals_give_every_session_a_maildrop_of_its_own() -> None:
    assert SERVERS == ("reference", "dovecot")
    for _, full, quick in WORKS.values():
        assert quick.in_all <= full.in_all
        assert full.in_all == full.accounts * full.messages


def test_a_peer_that_is_not_here_is_named_with_what_provides_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(place, "KEPT", tmp_path)
    monkeypatch.setenv("MAILPROOF_INTEROP_ROOT", str(tmp_path))
    for look in (
        place.postal_program, place.mpop_program, lambda: place.peers_python("locust"),
        lambda: place.postfix_program("smtp-source")
    ):  # fmt: skip
        with pytest.raises(CannotRunError, match="is not here; `make bench-peers` provides it"):
            look()


def test_a_command_is_shown_without_this_machines_paths() -> None:
    command = [sys.executable, str(place.CHECKOUT / "benchmarks" / "x.py"), "127.0.0.1:2525"]
    assert place.shown(command) == "python benchmarks/x.py 127.0.0.1:2525"
