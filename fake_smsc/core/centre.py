"""The assembled SMS centre: accounts, admission, delivery, notifications, outages.

Every call takes the time as `now` and first runs everything due before it. An earlier `now` than the last one is
raised to the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from fake_smsc.core.accounts import Accounts, Purpose
from fake_smsc.core.amendments import Amendments
from fake_smsc.core.delivery import Delivery, DeliverySettings
from fake_smsc.core.limiter import limiter_of
from fake_smsc.core.message_id import MessageIds
from fake_smsc.core.mobile_originated import MobileOriginated
from fake_smsc.core.notification_queue import NotificationQueue
from fake_smsc.core.records import (
    INVALID_TIME,
    NOT_ALLOWED,
    Accepted,
    Account,
    Answer,
    Change,
    Key,
    Limit,
    Message,
    Notification,
    PlatformState,
    Refused,
    Reply,
    Silence,
    Special,
    Submit,
)
from fake_smsc.core.routing import Routing
from fake_smsc.core.scts import SctsAllocator
from fake_smsc.core.timer_queue import TimerQueue
from simbench.base.units import DAY_US, MINUTE_US, NEVER
from simbench.ledger import AnyLedger
from simbench.ledger.events import ListEdited, PasswordSet, row_of
from simbench.numbering.subscribers import Subscriber, SubscriberBase

ANOTHER_ACCOUNT = Refused(NOT_ALLOWED, "notification address of another account")


class CentreSettings(msgspec.Struct, frozen=True):
    """The centre's settings, taken from contract and scenario. Durations in microseconds."""

    accounts: tuple[Account, ...]
    limits: dict[str, Limit]
    routing: Routing
    delivery: DeliverySettings
    validity_default_us: int
    validity_max_us: int
    scts_ahead_max_s: int
    notification_retry_us: tuple[int, ...]
    day_us: int = DAY_US


class Centre:
    """Methods act at `now`; `advance` runs what is due; `answers` collects the late replies to held submits."""

    def __init__(
        self,
        settings: CentreSettings,
        base: SubscriberBase,
        sink: AnyLedger,
        queue_of: Callable[[TimerQueue, tuple[int, ...]], NotificationQueue] = NotificationQueue,
    ) -> None:
        self.settings, self.base, self.sink = settings, base, sink
        self.state: PlatformState = "up"
        self.account_registry = Accounts(settings.accounts, sink)
        self.accounts = self.account_registry.accounts
        self.limiters = {code: limiter_of(limit) for code, limit in settings.limits.items()}
        self.answers: list[Answer] = []
        self.decided = 0  # submits accepted or refused so far
        self.version = 1  # changes with every change of a limit or an account
        self.timer_queue = TimerQueue()
        self.notification_queue = queue_of(self.timer_queue, settings.notification_retry_us)
        self.delivery = Delivery(
            settings.delivery, self.timer_queue, base, self.notification_queue, sink, self.account_registry.owner_of
        )
        self.amendments = Amendments(self.delivery, self.notification_queue, settings.validity_max_us)
        self.scts_allocator = SctsAllocator(settings.scts_ahead_max_s)
        self.mobile_originated = MobileOriginated(self.accounts, self.delivery, self.scts_allocator, sink)
        self.message_ids = MessageIds(settings.day_us)
        self._holds: dict[int, Submit] = {}
        self._hold_count = 0
        self._now = 0
        self._resumed_at = 0
        self._write = sink.centre.append

    # Time ------------------------------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Run everything due up to `now`. While the platform is down, deadlines wait.

        Entries that an earlier call left (`TimerQueue.most`) run with an instant after all that was done meanwhile.
        """
        before, now = self._now, self._forward(now)
        if self.state in {"up", "degraded"}:
            if self.timer_queue.behind:
                self._resumed_at = before
            self.timer_queue.run(now, self._resumed_at)

    @property
    def now(self) -> int:
        """The latest instant passed to any call (us, UTC)."""
        return self._now

    def next_deadline(self) -> int:
        """Return the next instant at which something is due, or NEVER (also while the platform is down)."""
        return self.timer_queue.next_deadline() if self.state in {"up", "degraded"} else NEVER

    def _forward(self, now: int) -> int:
        self._now = max(now, self._now)
        return self._now

    # Sessions --------------------------------------------------------------------------------------------------

    def login(self, session: int, name: str, password: str, now: int) -> Refused | None:
        """Open a session for an account. Returns None, or the refusal (OPS-CON-04, OPS-ENG-06)."""
        self.advance(now)
        refusal = self.account_registry.login(session, name, password, self._now)
        if refusal is None:
            self.notification_queue.sort(name)
        return refusal

    def logout(self, session: int, carried: Iterable[Notification], now: int) -> None:
        """End a connection: its held submits are dropped, and `carried` notifications wait for the next login."""
        self.advance(now)
        self.notification_queue.orphaned(list(carried))
        self.forget_held(session)
        self.account_registry.logout(session, self._now)

    def leave(self, session: int, now: int) -> None:
        """End the session of a connection that stays open, if it has one."""
        self.advance(now)
        self.forget_held(session)
        self.account_registry.logout(session, self._now)

    def turn_away(self, session: int, name: str, reason: str, now: int) -> Refused:
        """Refuse a login without checking its password."""
        self.advance(now)
        return self.account_registry.turn_away(session, name, reason, self._now)

    def provision(self, session: int, name: str, password: str, now: int) -> Refused | None:
        """Open a provisioning session. Returns None, or the refusal (EMI-UCP 4.0 section 6.3)."""
        self.advance(now)
        return self.account_registry.provision(session, name, password, self._now)

    def change_password(
        self, session: int, name: str, passwords: tuple[str, str], purpose: Purpose, now: int
    ) -> Refused | None:
        """Replace (present, new) password of an account. Returns None, or the refusal."""
        self.advance(now)
        refusal = self.account_registry.change_password(session, name, passwords, purpose, self._now)
        if refusal is None:
            self.sink.events.append(row_of(self._now, PasswordSet(name, purpose, passwords[1])))
        return refusal

    def edit_list(self, name: str, which: str, address: str, action: str) -> Refused | None:
        """Operation 61: "add", "remove" or "verify" an address of an account's "mo" or "mt" list."""
        refusal = self.account_registry.edit_list(name, which, address, action)
        if refusal is None and action != "verify":
            self.sink.events.append(row_of(self._now, ListEdited(name, which, action, address)))
        return refusal

    # Submission ------------------------------------------------------------------------------------------------

    def submit(self, submit: Submit, now: int) -> Reply:
        """Accept, hold or refuse one message to one recipient. After HELD, an Answer follows in `answers`."""
        if now != self._now:
            now = self._forward(now)
        if self.timer_queue.next_deadline() <= now:
            self.advance(now)
        account, code = self.accounts[submit.account], submit.oadc
        if code not in account.codes:
            code = self._code_of(submit, account)
        limiter = self.limiters.get(code)
        if limiter is None or account.state != "active":
            why = "originator not in service" if limiter is None else f"account {account.state}"
            return self._refuse(submit, code, NOT_ALLOWED, why, now)
        if submit.special is not None:
            refusal = self._objection(submit.special, account, now)
            if refusal is not None:
                return self._refuse(submit, code, refusal.ec, refusal.reason, now)
        due = limiter.offer(now, submit.segments)
        if due > now and limiter.limit.mode == "delay":
            return self._hold(submit, code, due, now)
        return self._decide(submit, code, now) if due >= 0 else self._over_rate(submit, code, limiter.limit, now)

    def _objection(self, special: Special, account: Account, now: int) -> Refused | None:
        """Return the refusal of a service the account has not subscribed to or the platform cannot provide."""
        if special.auth_code and account.auth_code and special.auth_code != account.auth_code:
            return Refused("07", "authentication code")
        if special.priority and not account.priority:
            return Refused("12", "no subscription to priority")
        if not self._may_notify(account.name, special.notify_at):
            return ANOTHER_ACCOUNT
        if special.begins_at and not now < special.begins_at <= now + self.settings.validity_max_us:
            return Refused(INVALID_TIME, "deferred delivery time not valid")
        return None

    def _may_notify(self, account: str, address: str | None) -> bool:
        """Tell whether an account's notifications may go to an address: not to another account of this platform."""
        return not address or self.account_registry.owner_of(address) in {"", account}

    def _hold(self, submit: Submit, code: str, due: int, now: int) -> Reply:
        self._hold_count += 1
        self._holds[self._hold_count] = submit
        self.timer_queue.enter(due, self._release, self._hold_count)
        self._write((now, "held", submit.session, code, submit.recipient, 0, 0, 0, None, submit.segments, 0, 0))
        return Silence.HELD

    def _code_of(self, submit: Submit, account: Account) -> str:
        # With the option, other originators are sent through the account's own code (OPS-OPT-04).
        return account.codes[0] if submit.alphanumeric and account.oadc_option and account.codes else ""

    def _over_rate(self, submit: Submit, code: str, limit: Limit, now: int) -> Reply:
        if limit.mode == "discard":
            self._write(
                (now, "discarded", submit.session, code, submit.recipient, 0, 0, 0, None, submit.segments, 0, 0)
            )
            return Silence.DISCARDED
        if limit.mode == "close":
            self._write((now, "closed", submit.session, code, submit.recipient, 0, 0, 0, None, submit.segments, 0, 0))
            return Silence.CLOSE
        ec = limit.overflow_ec if limit.mode == "delay" else limit.nack_ec
        return self._refuse(submit, code, ec, "throughput exceeded", now)

    def _release(self, key: int, due: int) -> None:
        submit = self._holds.pop(key, None)
        if submit is not None:
            account = self.accounts[submit.account]
            code = submit.oadc if submit.oadc in account.codes else self._code_of(submit, account)
            reply = self._decide(submit, code, due)
            self.answers.append(Answer(submit.session, submit.handle, reply))

    def _decide(self, submit: Submit, code: str, now: int) -> Accepted | Refused:
        settings, account, recipient = self.settings, submit.account, submit.recipient
        subscriber = self.base.find(recipient)
        if not subscriber.served:
            ec = settings.routing.refusal(subscriber, code)
            if ec:
                return self._refuse(submit, code, ec, "recipient not served", now)
        asked, latest, begins_at = submit.expires_at, 0, now
        if submit.special is not None and submit.special.begins_at:
            begins_at = max(now, submit.special.begins_at)
        if asked:
            latest = begins_at + settings.validity_max_us
            if asked <= begins_at:
                return self._refuse(submit, code, INVALID_TIME, "validity already over", now)
            expires_at = min(asked, latest)
        else:
            expires_at = begins_at + settings.validity_default_us
        scts = self.scts_allocator.take(account, recipient, now)
        if scts < 0:
            return self._refuse(submit, code, NOT_ALLOWED, "too many messages to this recipient", now)
        entity = submit.entity or self.message_ids.take(code, recipient, submit.digest, now)
        self._write(
            (now, "accepted", submit.session, code, recipient, entity, 0, 0, scts, submit.segments, submit.notify,
             asked // MINUTE_US * MINUTE_US)
        )  # fmt: skip
        self.decided += 1
        self.delivery.take(
            Message(
                entity, account, code, recipient, scts, now, expires_at, submit.notify, submit.segments,
                submit.session, 0, False, submit.special,
            ),
            now,
        )  # fmt: skip
        return Accepted(recipient, scts, expires_at if asked > latest else 0)

    def _refuse(self, submit: Submit, code: str, ec: str, reason: str, now: int) -> Refused:
        self.decided += 1
        self._write(
            (now, "refused", submit.session, code, submit.recipient, 0, 0, int(ec), None, submit.segments, 0, 0)
        )
        return Refused(ec, reason)

    # Waiting messages ------------------------------------------------------------------------------------------

    def modify(self, key: Key, change: Change, now: int) -> Accepted | Refused:
        """Operation 54 on a waiting message."""
        self.advance(now)
        refusal = self._barred(key)
        if refusal is None and not self._may_notify(key.account, change.notify_at):
            refusal = ANOTHER_ACCOUNT
        return refusal or self.amendments.modify(key, change, self._now)

    def inquire(self, key: Key, now: int) -> Refused | None:
        """Operation 55: post the 57s and return None, or return the refusal."""
        self.advance(now)
        return self._barred(key) or self.amendments.inquire(key, self._now)

    def delete(self, key: Key, now: int) -> Refused | None:
        """Operation 56: post the 58s and return None, or return the refusal."""
        self.advance(now)
        return self._barred(key) or self.amendments.delete(key, self._now)

    def _barred(self, key: Key) -> Refused | None:
        account = self.accounts[key.account]
        if account.state != "active":
            return Refused(NOT_ALLOWED, f"account {account.state}")
        wrong = key.auth_code and account.auth_code and key.auth_code != account.auth_code
        return Refused("07", "authentication code") if wrong else None

    # Notifications and mobile-originated messages --------------------------------------------------------------

    def acknowledge(self, session: int, notification: Notification, accepted: bool, now: int) -> None:
        """Record the application's answer to a 52 or 53; unless `accepted`, it is sent again later.

        An acknowledgement writes no row: the wire already shows it.
        """
        if accepted:
            notification.acknowledged = True
            return
        self.advance(now)
        now = self._now
        self._write(
            (now, "unacknowledged", session, notification.code, notification.subscriber, notification.message,
             notification.tries, notification.outcome, notification.scts, 0, 0, 0)
        )  # fmt: skip
        self.notification_queue.unanswered(notification, now)

    def originate(self, sender: str, code: str, payload: Any, now: int) -> Notification | None:
        """Send one segment from a subscriber to a short code. Returns its MO notification, None for an unknown code.

        The centre stores `payload` and returns it unchanged to the gateway.
        """
        self.advance(now)
        return self.mobile_originated.send(sender, code, payload, self._now)

    def restore(self, messages: list[Message], notifications: list[Notification], now: int) -> None:
        """Restore the messages and notifications left waiting by an earlier run; overdue ones run now."""
        self._resumed_at = now = self._forward(now)
        for message in messages:
            self.scts_allocator.given(message.account, message.recipient, message.scts)
            self.delivery.restore(message, now)
        for notification in notifications:
            self.notification_queue.post(notification, now)
        for account in {notification.account for notification in notifications}:
            self.notification_queue.sort(account)

    # Changes from outside --------------------------------------------------------------------------------------

    def subscriber(self, subscriber: Subscriber, now: int) -> None:
        """Set a subscriber's state; if it is reachable again, waiting messages are tried."""
        self.advance(now)
        self.base.put(subscriber)
        if subscriber.attached:
            self.delivery.returned(subscriber.msisdn, self._now)

    def retune(self, code: str, limit: Limit, now: int) -> None:
        """Change a code's limit (tier or meter answer), keeping the record of recent submissions."""
        self.advance(now)
        present = self.limiters.get(code)
        self.version += 1
        self.limiters[code] = present.retuned(limit, self._now) if present else limiter_of(limit)

    def account_state(self, account: Account, now: int) -> None:
        """Open, suspend or close an account (OPS-ENG-06), or change its options."""
        self.advance(now)
        self.version += 1
        self.accounts[account.name] = account

    def go(self, state: PlatformState, now: int) -> None:
        """Change the platform's state. Going down drops held submits: they were never accepted."""
        self.advance(now)
        was_up = self.state in {"up", "degraded"}
        self.state = state
        if state in {"down", "maintenance"}:
            self._holds.clear()
        elif not was_up:
            self._resumed_at = self._now
            self.advance(self._now)

    def forget_held(self, session: int) -> None:
        """Drop the held submits of one session (a partial outage)."""
        for key in [key for key, submit in self._holds.items() if submit.session == session]:
            del self._holds[key]
