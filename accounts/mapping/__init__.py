"""Reading the organisation from a CSV file: bytes to records, records to checked rows. No database in here."""
