"""Who says which taxes are due: our own rules for the European Union with their table of rates, or another provider."""
