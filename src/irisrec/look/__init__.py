"""How pages look: the report of a run and the served page have their colours, letters and numbers from here."""
