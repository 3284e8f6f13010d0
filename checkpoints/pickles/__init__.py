"""Reading pickles without unpickling: a machine that builds data and calls nothing."""
