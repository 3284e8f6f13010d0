"""The front desk: claims, verdicts, tables, the page and the command line."""
