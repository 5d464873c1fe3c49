"""NetRevenu, the dial-up offer: minutes of calls generated, carried, accounted and settled."""
