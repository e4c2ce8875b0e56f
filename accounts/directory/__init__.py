"""What a directory's entries mean for the people who are known: values only, no rows."""
