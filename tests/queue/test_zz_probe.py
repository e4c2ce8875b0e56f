from tests.queue.test_killed_sync import *
def test_probe(installation):
    fill(installation)
    print(installation.titles())
    installation.sync()
    print(installation.titles())
    print([e.get("type") for e in installation.simulator.graph.events(ADA)])
    print([(e["summary"],e.get("recurrence"),e.get("originalStartTime")) for e in installation.simulator.google.events(ADA)])
    assert 0
