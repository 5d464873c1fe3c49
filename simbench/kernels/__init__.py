"""Functions over plain numbers for the decisions about every message, and their compiler."""
