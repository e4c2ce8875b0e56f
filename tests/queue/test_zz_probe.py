import time, random
from collections import Counter
from tests.queue.conftest import *
from tests.queue.test_worker import watch
from tests.conftest import redis_url
import pytest
pytest_plugins = []
@pytest.mark.parametrize("broker", ["redis", "orm"])
def test_probe(installation, redis_url, broker):
    if broker == "redis": installation.environment["REDIS_URL"] = redis_url
    watch(installation); installation.open_worker()
    made = Counter()
    q = "SELECT id, wanted, done, rung_at, lease_until, dirty_at, not_before, state FROM calendars_calendar"
    for n in range(25):
        side = random.choice(["o", "g"]); title=f"{side}{n}"; made[title]=1
        (installation.in_outlook if side=="o" else installation.in_google)(title, day=n%28+1)
        t=time.time(); said=False
        while not installation.in_step(made):
            time.sleep(0.05)
            if time.time()-t>3 and not said:
                said=True; print("SLOW", n, side, time.strftime("%H:%M:%S"), installation.query(q))
                print(installation.query("SELECT kind,state,due_at,attempts,reason FROM calendars_operation WHERE state in ('planned','in_flight')"))
            assert time.time()-t<100
        print(n, side, round(time.time()-t,2))
        time.sleep(random.random()*1.5)
    print(installation.log("worker")[-3000:])
    assert 0
