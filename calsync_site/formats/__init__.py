"""How the console writes moments, by language."""
