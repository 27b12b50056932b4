"""The page for people: HTML made here, state in the address, one small script that is not needed to read it."""
