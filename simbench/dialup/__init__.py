"""NetRevenu: dial-up minute loads, carried, accounted and settled. Knows no message."""
