"""Moments as the commands and the logs write them, and with their zone: whoever compares the two must not reckon."""

DATETIME_FORMAT = "Y-m-d H:i:s T"
SHORT_DATETIME_FORMAT = "Y-m-d H:i T"
