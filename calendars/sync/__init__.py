"""The way of one change: each module is a verb that moves it one stage along. DESIGN section 4 is the map."""
