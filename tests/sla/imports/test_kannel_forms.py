"""Kannel's log in all the forms it comes in, and logs that cannot show an outage: seven hours down are never a pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simbench.base.units import HOUR_US, MINUTE_US
from simbench.contract import load_contract
from simbench.sla.imports.kannel_log import KannelLog, looks_like, read_kannel_log
from simbench.sla.purposes import GRANTED_RATE
from simbench.tables.instants import NoZone
from tests.paris import instant

CONTRACT, PARIS = load_contract(), ZoneInfo("Europe/Paris")
DAY = "2025-03-03"
ACCESS = "Sent SMS [SMSC:36010] [SVC:app] [from:36010] [to:+33639980012] [flags:-1:0:-1:0:31] [msg:7:Bonjour] [udh:0:]"


def seven_hours(driver: str = "EMI2") -> Iterator[tuple[str, str]]:
    """Return times and lines of a bearerbox with its only link down from 02:00 to 09:00, tried every ten minutes."""
    yield "00:00:00", "INFO: Kannel bearerbox II version 1.4.5 starting"
    yield "00:00:01", f"INFO: {driver}[36010]: connecting to Primary SMSC"
    yield "02:00:00", f"INFO: {driver}[36010]: Main connection closed by SMSC"
    for minute in range(0, 420, 10):
        at = f"{2 + minute // 60:02}:{minute % 60:02}"
        yield f"{at}:00", f"INFO: {driver}[36010]: connecting to Primary SMSC"
        yield f"{at}:01", f"ERROR: {driver}[36010]: Couldn't connect to SMS center (retrying in 600 seconds)."
    yield "09:00:00", f"INFO: {driver}[36010]: connecting to Primary SMSC"
    yield "23:00:00", "WARNING: Killing signal or HTTP admin command received, shutting down..."


Form = Callable[[str, str], str]


def docker(time: str, expected: str) -> str:
    return json.dumps({"log": f"{DAY} {time} [14] [6] {expected}\n", "stream": "stdout", "time": f"{DAY}T00:00:00Z"})


def docker_without_stamps(time: str, expected: str) -> str:
    hour = int(time[:2]) - 1  # Paris is an hour ahead of UTC in March
    day = DAY if hour >= 0 else "2025-03-02"
    return json.dumps({"log": f"[14] [6] {expected}\n", "time": f"{day}T{hour % 24:02}{time[2:]}.123456789Z"})


FORMS: dict[str, Form] = {
    "1.4.5": lambda time, output: f"{DAY} {time} [14] [6] {output}",
    "one bracket": lambda time, output: f"{DAY} {time} [6] {output}",
    "no bracket": lambda time, output: f"{DAY} {time} {output}",
    "microseconds": lambda time, output: f"{DAY} {time}.000000 [14] [6] {output}",
    "CRLF": lambda time, output: f"{DAY} {time} [14] [6] {output}\r",
    "syslog": lambda time, output: f"Mar  3 {time} gw1 bearerbox[14]: {output}",
    "syslog with its own stamp": lambda time, output: f"Mar  3 10:00:00 gw1 kannel: {DAY} {time} [14] [6] {output}",
    "syslog with ISO stamps": lambda time, output: f"{DAY}T{time}+01:00 gw1 bearerbox[14]: [14] [6] {output}",
    "RFC 5424": lambda time, output: f"<30>1 {DAY}T{time}.000+01:00 gw1 bearerbox 14 - - {output}",
    "docker": docker,
    "docker without stamps": docker_without_stamps,
    "docker compose": lambda time, output: f"bearerbox_1  | {DAY} {time} [14] [6] {output}",
    "a container runtime": lambda time, output: f"{DAY}T{time}.000000+01:00 stdout F {DAY} {time} [14] [6] {output}",
}


def read(folder: Path, text: str, year: int = 2025) -> KannelLog:
    path = folder / "kannel.log"
    path.write_bytes(text.encode())
    assert looks_like(text[:8192])
    return read_kannel_log(path, CONTRACT, PARIS, year)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("driver", ["EMI2", "EMI"])
def test_seven_hours_down_are_found_in_every_form(tmp_path: Path, form: str, driver: str) -> None:
    found = read(tmp_path, "\n".join(FORMS[form](*line) for line in seven_hours(driver)))
    ((start, end),) = [(one.start, one.end) for one in found.incidents if one.attributed_to == "orange"]
    assert (start // 1_000_000, (end or 0) - start) == (instant(2025, 3, 3, 2) // 1_000_000, 7 * HOUR_US)
    assert (found.notes, dict(found.unsupported)) == (
        (),
        {GRANTED_RATE: "the log does not say when messages were handed over; bearerbox's does at debug level"},
    )  # fmt: skip


def test_syslog_that_names_no_year_has_that_of_the_file_and_a_remark(tmp_path: Path) -> None:
    found = read(tmp_path, "\n".join(FORMS["syslog"](*line) for line in seven_hours()), year=0)
    assert "syslog names no year" in str(found.notes[0])
    assert [(one.end or 0) - one.start for one in found.incidents] == [7 * HOUR_US]


def test_syslog_goes_on_into_the_next_year(tmp_path: Path) -> None:
    lines = [
        "Dec 31 23:00:00 gw1 bearerbox[1]: INFO: EMI2[36010]: Main connection closed by SMSC",
        "Jan  1 01:00:00 gw1 bearerbox[1]: INFO: EMI2[36010]: connecting to Primary SMSC",
        "Jan  1 02:00:00 gw1 bearerbox[1]: INFO: x",
    ]
    found = read(tmp_path, "\n".join(lines), year=2024)
    assert [(one.start, one.end) for one in found.incidents] == [(instant(2024, 12, 31, 23), instant(2025, 1, 1, 1))]


def test_stamps_that_name_their_zone_need_none(tmp_path: Path) -> None:
    path = tmp_path / "kannel.log"
    path.write_text("\n".join(docker_without_stamps(*line) for line in seven_hours()), "utf-8")
    assert len(read_kannel_log(path, CONTRACT, None).incidents) == 1
    path.write_text("\n".join(FORMS["1.4.5"](*line) for line in seven_hours()), "utf-8")
    with pytest.raises(NoZone, match="line 1: its times say no time zone"):
        read_kannel_log(path, CONTRACT, None)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([FORMS["1.4.5"](*line) for line in seven_hours("SMPP")], "its links are SMPP; only those of EMI, EMI2"),
        ([f"{DAY} 00:00:00 Log begins", f"{DAY} 01:00:00 {ACCESS}"], "an access log has the messages alone"),
        (
            [f"{DAY} 00:00:00 [1] [0] INFO: Starting smsbox", f"{DAY} 23:00:00 [1] [4] INFO: smsbox: Got HTTP request"],
            "no line of it is about a link",
        ),
        ([f"{DAY} 10:00:00 [1] [6] {line}" for _, line in seven_hours()], "its stamps span 1 s"),
    ],
)
def test_a_log_that_cannot_show_outages_is_unsupported_with_its_reason(
    tmp_path: Path, lines: list[str], why: str
) -> None:
    found = read(tmp_path, "\n".join(lines))
    assert why in found.unsupported["sla.availability"]
    assert why in found.unsupported["sla.restoration"]


def test_links_of_other_drivers_beside_emi_are_remarked_on_alone(tmp_path: Path) -> None:
    lines = [FORMS["1.4.5"](*line) for driver in ("EMI2", "SMPP") for line in seven_hours(driver)]
    found = read(tmp_path, "\n".join(sorted(lines)))
    assert "sla.restoration" not in found.unsupported
    assert "87 lines of SMPP links were not read" in [str(one)[:36] for one in found.notes]


@pytest.mark.parametrize(
    "forged",
    [f"{DAY} 11:00:00 Sent SMS [SMSC:36010] [to:+33639980099] x", f"{DAY} 11:00:00 [1] [6] INFO: Kannel bearerbox II"],
)
def test_a_text_with_line_feeds_forges_no_line(tmp_path: Path, forged: str) -> None:
    text = f"Rendez-vous\r\nle 4 mars\n{forged}\nfin"
    lines = [
        f"{DAY} 10:00:00 Log begins",
        f"{DAY} 10:00:01 {ACCESS.replace('7:Bonjour', f'{len(text)}:{text}')}",
        f"{DAY} 12:00:00 {ACCESS}",
    ]
    found = read(tmp_path, "\n".join(lines) + "\n")
    assert [row[4] for row in found.centre] == ["+33639980012"] * 2
    assert found.notes == ()


def attempts(*errors: str) -> str:
    """A link that is lost at 02:00, tried in vain with these errors of the system, and back at 10:00."""
    output = [f"{DAY} 00:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC"]
    for hour, error in enumerate(errors, 2):
        output += [
            f"{DAY} {hour:02}:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC",
            f"{DAY} {hour:02}:00:01 [1] [6] ERROR: connect to <192.0.2.1> failed",
            *(f"{DAY} {hour:02}:00:01 [1] [6] ERROR: {one}" for one in error.split("|")),
            f"{DAY} {hour:02}:00:01 [1] [6] ERROR: error connecting to server `192.0.2.1' at port `5000'",
            f"{DAY} {hour:02}:00:01 [1] [9] ERROR: System error 111: Connection refused",
            f"{DAY} {hour:02}:00:01 [1] [6] ERROR: EMI2[36010]: opening TCP connection to smsc.example failed",
            f"{DAY} {hour:02}:00:01 [1] [6] ERROR: EMI2[36010]: Couldn't connect to SMS center (retrying in 3600 s)",
        ]
    return "\n".join([*output, f"{DAY} 10:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC"])


# As Kannel 1.4.5 writes a name that cannot be looked up.
NO_NAME = (
    "Error while gw_gethostbyname occurs.|System error 2: No such file or directory|gethostbyname failed|"
    "System error 11: Resource temporarily unavailable"
)
OWN, PEER, ROUTER = (
    "System error 101: Network is unreachable", "System error 111: Connection refused",
    "System error 113: No route to host",
)  # fmt: skip


@pytest.mark.parametrize(
    ("errors", "whose"),
    [
        ((OWN, OWN), ("client", "client", "client")),
        ((PEER, PEER), ("orange", "orange", "orange")),
        ((ROUTER,), ("unknown", "client", "orange")),
        ((OWN, PEER), ("unknown", "client", "orange")),
        ((NO_NAME, NO_NAME), ("client", "client", "client")),
        ((NO_NAME, PEER), ("unknown", "client", "orange")),
    ],
)
def test_whose_an_outage_is_hangs_on_why_the_attempts_failed(
    tmp_path: Path, errors: tuple[str, ...], whose: tuple[str, str, str]
) -> None:
    found = read(tmp_path, attempts(*errors))
    usual, least, most = (
        [one for one in incidents if one.cause != "nothing was logged"]
        for incidents in (found.incidents, found.least, found.most)
    )
    assert (usual[0].attributed_to, least[0].attributed_to, most[0].attributed_to) == whose


def test_an_outage_that_lasts_when_the_log_ends_has_no_end(tmp_path: Path) -> None:
    lines = [FORMS["1.4.5"](*line) for line in seven_hours()][:-2]
    assert [one.end for one in read(tmp_path, "\n".join(lines)).incidents] == [None]


def test_when_a_link_came_back_while_kannel_did_not_run_is_known_to_that_margin(tmp_path: Path) -> None:
    lines = [
        f"{DAY} 00:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC",
        f"{DAY} 10:00:00 [1] [6] INFO: EMI2[36010]: Main connection closed by SMSC",
        f"{DAY} 12:00:00 [1] [0] WARNING: Killing signal received",
        f"{DAY} 20:00:00 [1] [0] INFO: Kannel bearerbox II version 1.4.5 starting",
        f"{DAY} 20:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC",
    ]
    found = read(tmp_path, "\n".join(lines))
    ((start, end, margin, _),) = found.timing_error
    assert (start, end) == (instant(2025, 3, 3, 10), instant(2025, 3, 3, 12))
    assert margin == 8 * HOUR_US + 2_000_000


def test_lost_acknowledgements_are_counted(tmp_path: Path) -> None:
    line = "WARNING: EMI2[36010]: received neither ACK nor NACK for message 7 in 60 seconds, resending message"
    found = read(
        tmp_path, "\n".join([*(FORMS["1.4.5"](*one) for one in seven_hours()), f"{DAY} 23:30:00 [1] [6] {line}"])
    )
    assert found.unanswered == 1
    assert "1 operations had no result within Kannel's time-out" in [str(one) for one in found.notes]


def test_silences_of_a_log_at_debug_level_may_be_outages_and_those_of_a_quiet_one_are_not(tmp_path: Path) -> None:
    quiet = "\n".join(FORMS["1.4.5"](*line) for line in seven_hours())
    assert (read(tmp_path, quiet).holes, len(read(tmp_path, quiet).most)) == (0, 1)
    found = read(tmp_path, f"{quiet}\n{DAY} 23:00:01 [1] [6] DEBUG: x")
    silent = [one for one in found.most if one.cause == "nothing was logged"]
    assert found.holes == len(silent) > 0
    assert all((one.end or 0) - one.start > 10 * MINUTE_US for one in silent)
