"""What CalSync decides, from values alone: no input or output, no clock, no logging."""
