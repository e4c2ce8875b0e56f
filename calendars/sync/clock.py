"""The clock as an argument: aware UTC now. Tasks and commands pass the real one."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
