"""The site: settings, addresses, system checks and the commands that cross apps."""
