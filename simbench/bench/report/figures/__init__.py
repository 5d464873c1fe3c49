"""The figures of a conformance report."""
