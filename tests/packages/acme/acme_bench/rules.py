"""A rule on the client, judged if its contract is in force."""

from simbench.rules.evidence import first_frames
from simbench.rules.rule import Case, Verdict, rule


@rule(
    "acme.no-shouting",
    "The client sends no text in capitals alone.",
    suites=("client", "watched", "audit"),
    standing=True,
    unit="messages",
)
def no_shouting(case: Case) -> Verdict:
    texts = case.trace.submits.rows()
    if not texts:
        return Verdict("inconclusive", "no message was sent", blame="bench")
    loud = [one for one in texts if one.text.isupper()]
    summary = f"{len(loud)} of {len(texts)} texts in capitals alone"
    return Verdict("fail" if loud else "pass", summary, len(loud), 0, evidence=first_frames("in capitals", loud))
