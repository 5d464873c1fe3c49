"""Operations 60, 31 and 61: sessions, passwords, keepalives, lists; and the timers of a session.

Sources: EMI-UCP 4.0 sections 4.6, 6.3 and 6.4; timers from the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from fake_smsc.core.accounts import BAD_LOGIN, Purpose
from fake_smsc.core.centre import Centre
from fake_smsc.core.records import Refused
from fake_smsc.core.timer_queue import TimerQueue
from fake_smsc.ucp_gateway.admission import NOT_ALLOWED, WindowAdmission
from fake_smsc.ucp_gateway.line import GatewaySettings, Line, Mute
from fake_smsc.ucp_gateway.logins import KINDS, LoginGuard, LoginSeen, Report, Unguarded
from fake_smsc.ucp_gateway.notifications import NotificationSender
from fake_smsc.ucp_gateway.output import Output
from fake_smsc.ucp_gateway.strictness_policy import StrictnessPolicy
from simbench.base.units import SECOND_US
from simbench.ucp import alphabet
from simbench.ucp.frame import Frame

OPEN, PROVISIONING = "1", "4"
PASSWORDS: Final[dict[str, Purpose]] = {"3": "session", "6": "provisioning"}  # STYP of 60 that change a password
LISTS: Final = {  # STYP of 61: the list, and the action
    "1": ("mo", "add"), "2": ("mo", "remove"), "3": ("mo", "verify"),
    "4": ("mt", "add"), "5": ("mt", "remove"), "6": ("mt", "verify"),
}  # fmt: skip
GUESSES = "too many failed logins; wait a minute"
ALERT_ACKS: Final = {"two-fields": "A/0000/", "extra-slash": "A//0000/"}


class Sessions:
    """The logged-in connections and their timers."""

    def __init__(
        self,
        notification_sender: NotificationSender,
        window_admission: WindowAdmission,
        strictness_policy: StrictnessPolicy,
        lines: Mapping[int, Line],
    ) -> None:
        self._lines = lines
        self.notification_sender, self.window_admission, self.strictness_policy = (
            notification_sender,
            window_admission,
            strictness_policy,
        )
        self.centre: Centre = notification_sender.centre
        self.settings: GatewaySettings = notification_sender.settings
        self.out: Output = notification_sender.out
        self.timers: TimerQueue = notification_sender.timers
        self.guard: LoginGuard = Unguarded()
        self.report: Report = lambda _: None  # called with every login
        self.barred: dict[str, Mute | Literal["close"]] = {}  # accounts affected by a partial outage
        switches = strictness_policy.switches
        self._second = switches.second_login
        self._alert_ack = ALERT_ACKS[switches.alert_ack]

    # Operations ------------------------------------------------------------------------------------------------

    def login(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 60: open a session of either kind, or change a password."""
        sound = self.strictness_policy.sound(line, frame, now)
        if sound is None:
            self.saw(line, frame, now, "malformed")
            return
        name, styp = sound.data[0], sound.data[3]
        password, new = (alphabet.decode(bytes.fromhex(text)) for text in sound.data[4:6])
        barred = self.barred.get(name, "")
        if barred in {"close", "silent"}:
            self.saw(line, frame, now, "outage")
            if barred == "close":
                self.out.close(line, "outage")
            else:
                line.treat("silent")
        elif self.guard.refuses(line.peer, self._known(name)):
            self._answer(line, frame, self.centre.turn_away(line.number, name, GUESSES, now), now)
            self.out.close(line, "too many failed logins")
        elif styp in PASSWORDS:
            refused = self.centre.change_password(line.number, name, (password, new), PASSWORDS[styp], now)
            self._answer(line, frame, refused, now)
        elif line.session.state == "connected" or self._again(line, frame, now):
            self._open(line, frame, (name, password), styp == PROVISIONING, now)

    def _open(self, line: Line, frame: Frame, who: tuple[str, str], provisioning: bool, now: int) -> None:
        session = line.session
        session.happen("login")
        enter = self.centre.provision if provisioning else self.centre.login
        refused = enter(line.number, *who, now)
        self.unregister(line)
        if refused is not None or provisioning:
            self.centre.leave(line.number, now)
        if refused is not None:
            session.happen("refused")
        elif provisioning:
            session.happen("provisioned")
            line.account = who[0]
        else:
            session.happen("accepted")
            self._register(line, who[0], now)
            if self.barred.get(who[0]) == "deaf":
                line.treat("deaf")
        self._answer(line, frame, refused, now)

    def _again(self, line: Line, frame: Frame, now: int) -> bool:
        """Return whether a 60 in an open session is a new login."""
        self.out.violation(line, "second-login", now)
        if self._second == "refuse":
            self.out.nack(line, frame, NOT_ALLOWED, "session is open")
        elif self._second == "close":
            self.out.close(line, "second login")
        if self._second == "re-authenticate":
            return True
        self.saw(line, frame, now, "session is open", NOT_ALLOWED if self._second == "refuse" else "")
        return False

    def saw(self, line: Line, frame: Frame, now: int, why: str, ec: str = "") -> None:
        """Report a login: `why` it was refused or not answered, "" for an accepted one."""
        account, styp = (frame.data[at] if at < len(frame.data) else "" for at in (0, 3))
        self.report(LoginSeen(now, line.number, frame.trn, line.peer, account, KINDS.get(styp, "unknown"), ec, why))

    def _known(self, name: str) -> str:
        return name if name in self.centre.accounts else ""

    def _answer(self, line: Line, frame: Frame, refused: Refused | None, now: int) -> None:
        name = frame.data[0]
        self.saw(line, frame, now, *(("", "") if refused is None else (refused.reason, refused.ec)))
        if refused is None:
            self.guard.succeeded(line.peer, name)
            self.out.reply(line, frame, "A//")
            return
        self.out.nack(line, frame, refused.ec, refused.reason)
        if refused.ec == BAD_LOGIN:
            self.guard.failed(line.peer, self._known(name))
        if frame.data[3] in {OPEN, PROVISIONING} or refused.ec == BAD_LOGIN:
            line.failures += 1
            if line.failures >= self.settings.login_failures_close:
                self.out.close(line, "too many failed logins")

    def alert(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 31: reports no waiting messages, because they are sent as soon as there is room."""
        sound = self.strictness_policy.sound(line, frame, now)
        if sound is not None and self.window_admission.answers_at_once(line, frame, now):
            self.out.reply(line, frame, self._alert_ack)

    def edit_list(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 61, in a provisioning session and for its own account only."""
        if not self.window_admission.allowed(line, frame, now):
            return
        sound = self.strictness_policy.sound(line, frame, now)
        if sound is None:
            return
        if sound.data[0] != line.account:
            self.out.nack(line, frame, "07", "another account")
            return
        which, action = LISTS[sound.data[3]]
        refused = self.centre.edit_list(line.account, which, sound.data[7], action)
        if refused is not None:
            self.out.nack(line, frame, refused.ec, refused.reason)
        else:
            self.out.reply(line, frame, "A//")

    # Lines and accounts ----------------------------------------------------------------------------------------

    def _register(self, line: Line, account: str, now: int) -> None:
        line.account, line.own.room_at = account, now
        window = self.settings.windows[account]
        line.session.own.size = line.session.peer.size = window
        self.notification_sender.join(account, line)
        self.centre.notification_queue.fresh.add(account)

    def unregister(self, line: Line) -> None:
        """Detach the connection from its account."""
        if line.account:
            self.notification_sender.leave(line.account, line)
        line.account = ""

    # Timers ----------------------------------------------------------------------------------------------------

    def opened(self, line: Line, now: int) -> None:
        """Start the login timer of a connection. Timers name it by number, so that they keep no ended one."""
        self.timers.enter(now + self.settings.login_timer_us, self._check_login, line.number)

    def _check_login(self, number: int, now: int) -> None:
        line = self._lines.get(number)
        if line is None:
            return
        if line.mute:
            self.timers.enter(now + self.settings.login_timer_us, self._check_login, number)
        elif line.session.state not in {"open", "provisioning"}:
            self.out.close(line, "no login in time")
        else:
            self._check_idle(number, now)

    def _check_idle(self, number: int, now: int) -> None:
        line = self._lines.get(number)
        if line is None:
            return
        silent_until = line.heard_at + self.settings.idle_close_us
        if silent_until <= now and not line.mute:
            self.out.close(line, "idle")
        else:
            self.timers.enter(max(silent_until, now + SECOND_US), self._check_idle, number)
