"""Writers of the sample reports."""
