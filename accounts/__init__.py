"""People, org units, tenant connections, linked accounts and what seals their secrets."""
