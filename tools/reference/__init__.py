"""Writers of the reference pages that are drawn from the program."""
