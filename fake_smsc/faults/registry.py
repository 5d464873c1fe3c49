"""The registry of wire faults, and their configuration by name."""

from __future__ import annotations

from fake_smsc.faults import lines, notifications, octets, results
from fake_smsc.faults.fault import Fault
from fake_smsc.scenario import FaultConfig, check_fault
from simbench.base.errors import BadInput
from simbench.base.toml_files import as_typed

FAULTS: dict[str, type[Fault]] = {
    # results of submits
    "late-result": results.LateResult,
    "no-result": results.NoResult,
    "double-result": results.DoubleResult,
    "reordered-results": results.ReorderedResults,
    "wrong-trn": results.WrongTrn,
    "wrong-ot": results.WrongOt,
    "nack": results.Nack,
    "nack-without-ec": results.NackWithoutEc,
    "nack-though-stored": results.NackThoughStored,
    "ack-though-lost": results.AckThoughLost,
    "result-without-stamp": results.ResultWithoutStamp,
    "short-result": results.ShortResult,
    "stray-result": results.StrayResult,
    # notifications and other operations of the SMSC
    "early-notification": notifications.EarlyNotification,
    "late-notification": notifications.LateNotification,
    "double-notification": notifications.DoubleNotification,
    "lost-notification": notifications.LostNotification,
    "wrong-stamp": notifications.WrongStamp,
    "reordered-notifications": notifications.ReorderedNotifications,
    "short-notification": notifications.ShortNotification,
    "mo-flood": notifications.MoFlood,
    "mo-at-full-window": notifications.MoAtFullWindow,
    "unknown-operation": notifications.UnknownOperation,
    "alert-to-client": notifications.AlertToClient,
    # octets and segments
    "bad-checksum": octets.BadChecksum,
    "wrong-length": octets.WrongLength,
    "high-octet": octets.HighOctet,
    "cut-frame": octets.CutFrame,
    "endless-frame": octets.EndlessFrame,
    "garbage": octets.Garbage,
    "line-ends": octets.LineEnds,
    "small-segments": octets.SmallSegments,
    "merged-segments": octets.MergedSegments,
    "slow-write": octets.SlowWrite,
    # connections
    "login-refused": lines.LoginRefused,
    "login-unanswered": lines.LoginUnanswered,
    "alert-unanswered": lines.AlertUnanswered,
    "half-open": lines.HalfOpen,
    "reset": lines.Reset,
    "hang-up": lines.HangUp,
    "cut-off": lines.CutOff,
    "slow-read": lines.SlowRead,
    "accept-close": lines.AcceptClose,
    "accept-reset": lines.AcceptReset,
}


def sentence(name: str) -> str:
    """Return the one-sentence description of a fault."""
    return (FAULTS[name].__doc__ or "").strip()


def fault_config(name: str, parameters: dict[str, object]) -> FaultConfig:
    """Return a fault's configuration. Raises BadInput for an unknown name or a parameter the fault does not take."""
    config = as_typed({"name": name, **parameters}, FaultConfig, BadInput, lambda _keys: "fault")
    check_fault(config, "fault", BadInput)
    return config
