"""RADIUS accounting: calls sent to a real server as records, and records read back into calls.

calls -> plan (with faults) -> sender -> server, and a journal of what was sent and answered;
detail files, captures -> records -> pairing -> calls; journal and records -> reconcile -> findings.
"""
