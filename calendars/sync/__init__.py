"""The way of one change: each module is a verb that moves it one stage along. README, "How it works", is the map."""
