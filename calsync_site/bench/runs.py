"""The measurements: which phases make which figures, and beside which floor each figure stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from calsync_site.bench import judging
from calsync_site.bench.figures import Figure, Goal, percentile
from calsync_site.bench.stand import BenchFailed, Numbers, Stand

MEGABYTE = 1_000_000
GRAPH_BATCH, GOOGLE_BATCH = 20, 50  # the providers' own limits


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. The defaults are what docs/performance.md tells."""

    backfill_people: int = 10
    backfill_events: int = 50  # of each person on each platform
    change_people: int = 15
    idle_people: int = 500
    idle_floor: int = 200  # requests of the bare loop, from which its time for all is told
    pull_events: int = 20_000
    rules: int = 200
    judged_events: int = 50_000
    policy_people: int = 100
    policy_events: int = 50  # of each person on each platform
    busy_people: int = 5_000
    busy_slots: int = 1_000_000
    busy_lookups: int = 2_000


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the bench. ``latencies`` in milliseconds; ``say`` tells a reader what is going on.

    ``workshop`` is an empty folder for everything that is made on the way; the caller removes it.
    """

    root: Path
    workshop: Path
    latencies: Sequence[float]
    sizes: Sizes
    say: Callable[[str], None]

    def backfill(self) -> Iterator[Figure]:
        """First activation: events per second, and what it asks of the providers."""
        for latency in self.latencies:
            self.say(f"backfill at {latency:g} ms ...")
            with Stand(root=self.root, workshop=self.workshop) as stand:
                yield from self._backfill(stand, latency)

    def _backfill(self, stand: Stand, latency: float) -> Iterator[Figure]:
        people, each = self.sizes.backfill_people, self.sizes.backfill_events
        stand.people(people, outlook=each, google=each, series=True)
        stand.order("latency", ms=latency)
        ours = stand.inside("backfill", people=people)
        totals = stand.order("totals")
        bare = stand.bare_loop(at_twin=True)
        events = ours["events"]
        if events != 2 * people * each:
            raise BenchFailed(f"The backfill wrote {events} copies of {2 * people * each} events.")
        setting = f"{latency:g} ms, {people} people, {each} events on each of their sides, both directions"
        noise = f"{setting}; {100 * ours['starved'] / ours['seconds']:.0f} % of the time waiting for a core"
        yield Figure("backfill_rate", events / ours["seconds"], "events/s", events / bare["seconds"], noise)
        yield Figure("backfill_cpu", 1000 * ours["cpu"] / events, "ms/event", 1000 * bare["cpu"] / events, setting)
        fewest = people * (2 + -(-each // GRAPH_BATCH) + -(-each // GOOGLE_BATCH))
        yield Figure("backfill_requests", totals["requests"] / events, "requests/event", fewest / events, setting)
        counted = people * 2 * (1 + each)
        yield Figure("backfill_quota", totals["quota"] / events, "calls/event", counted / events, setting)

    def change(self) -> Iterator[Figure]:
        """One edit at a time, through webhooks: how long until its copy stands, and how many requests it costs."""
        for latency in self.latencies:
            self.say(f"change at {latency:g} ms ...")
            with Stand(root=self.root, workshop=self.workshop) as stand:
                yield from self._change(stand, latency)

    def _change(self, stand: Stand, latency: float) -> Iterator[Figure]:
        people = self.sizes.change_people
        stand.people(people, outlook=1, google=1)
        stand.open_site()
        stand.inside("live", people=people)
        stand.open_worker()
        stand.order("latency", ms=latency)
        for side in ("outlook", "google"):  # the first edits find cold processes
            stand.order("edit", person=0, side=side, text="first")
            stand.order("edit", person=0, side=side, text="second")
        stand.order("forget")
        edits = [
            stand.order("edit", person=person, side=side, text="changed")
            for person in range(people)
            for side in ("outlook", "google")
        ]
        totals = stand.order("totals")
        stand.stop_site()
        stand.order("quiet")
        bare = stand.bare_loop(at_twin=False)
        yield from _latencies(edits, bare, totals, f"{latency:g} ms, {len(edits)} edits one by one, both directions")

    def idle(self) -> Iterator[Figure]:
        """A pass over calendars on which nothing has happened."""
        people = self.sizes.idle_people
        self.say(f"idle pass over {2 * people} calendars ...")
        with Stand(root=self.root, workshop=self.workshop) as stand:
            stand.people(people, outlook=1, google=0)
            for one in stand.inside("idle", people=people, latencies=list(self.latencies))["passes"]:
                stand.order("latency", ms=one["latency"])
                yield from self._idle(stand, one, calendars=2 * people)

    def _idle(self, stand: Stand, one: Numbers, *, calendars: int) -> Iterator[Figure]:
        setting = f"{one['latency']:g} ms, {calendars} calendars, one process"
        yield Figure("idle_requests", one["requests"] / calendars, "requests/calendar", 1.0, setting)
        yield Figure("idle_writes", one["writes"], "provider writes", 0.0, setting)
        yield Figure("idle_statements", one["statements"] / calendars, "statements/calendar", 0.0, setting)
        bare = stand.bare_loop(at_twin=False, most=self.sizes.idle_floor)
        floor = bare["seconds"] / len(bare["each"]) * one["requests"]
        yield Figure("idle_seconds", one["seconds"], "s", floor, setting)

    def memory(self) -> Iterator[Figure]:
        """The first read of one mailbox with very many events."""
        for platform in ("outlook", "google"):
            self.say(f"pull of {self.sizes.pull_events} {platform} events ...")
            with Stand(root=self.root, workshop=self.workshop) as stand:
                yield from self._memory(stand, platform)

    def _memory(self, stand: Stand, platform: str) -> Iterator[Figure]:
        many = self.sizes.pull_events
        stand.people(1, outlook=many if platform == "outlook" else None, google=many if platform == "google" else None)
        ours = stand.inside("pull", platform=platform)
        if ours["events"] != many:
            raise BenchFailed(f"The pull brought {ours['events']} of {many} events.")
        bare = stand.bare_loop(at_twin=False)
        setting = f"0 ms, {many} events in one mailbox; {ours['before'] / MEGABYTE:.0f} MB before the pull"
        name = f"pull_{platform}"
        yield Figure(f"{name}_memory", ours["peak"] / MEGABYTE, "MB", bare["peak"] / MEGABYTE, setting)
        yield Figure(f"{name}_rate", many / ours["seconds"], "events/s", many / bare["seconds"], setting)

    def rules(self) -> Iterator[Figure]:
        """Verdicts about events, no two alike, with all rules for everybody: the most that one person can have."""
        rules, events = self.sizes.rules, self.sizes.judged_events
        self.say(f"{events} events against {rules} rules ...")
        done = judging.judge(rule_count=rules, event_count=events)
        setting = f"{events} events, {rules} rules for everybody; {100 * done.decided:.0f} % decided by a written rule"
        yield Figure("rules_rate", done.per_cpu, "verdicts/s of CPU", None, setting)
        yield Figure("rules_clock_rate", done.per_clock, "verdicts/s", None, setting)

    def policy(self) -> Iterator[Figure]:
        """A change of rules over very many events: seen before it is made, then made and carried out."""
        people, each, rules = self.sizes.policy_people, self.sizes.policy_events, self.sizes.rules
        many = 2 * people * each
        self.say(f"a change of rules over {many} events ...")
        with Stand(root=self.root, workshop=self.workshop) as stand:
            stand.people(people, outlook=each, google=each)
            ours = stand.inside("policy", people=people, rules=rules)
        if ours["seen"] != many or ours["concerned"] != many // 10:
            raise BenchFailed(f"Seen were {ours['seen']} of {many} events, concerned {ours['concerned']}.")
        setting = f"0 ms, {many} events, {ours['rules']} rules, {ours['concerned']} events concerned"
        yield Figure("policy_preview_seconds", ours["seconds"], "s", None, setting)
        yield Figure("policy_preview_requests", ours["requests"], "requests", 0.0, setting)
        yield Figure("policy_writes", ours["writes"] / ours["concerned"], "writes/event concerned", 1.0, setting)
        yield Figure("policy_apply_seconds", ours["applied"], "s", None, setting)

    def busy(self) -> Iterator[Figure]:
        """Questions about the busy time of very many people."""
        people, slots, lookups = self.sizes.busy_people, self.sizes.busy_slots, self.sizes.busy_lookups
        self.say(f"{slots} busy slots of {people} people ...")
        with Stand(root=self.root, workshop=self.workshop) as stand:
            ours = stand.inside("busy", people=people, slots=slots, lookups=lookups)
        setting = f"{ours['slots']} slots of {people} people, {ours['database']}"
        yield Figure("busy_lookup_p95", ours["lookup"], "ms", ours["row"], setting)
        yield Figure("free_slots_p95", ours["free"], "ms", None, f"{setting}; 20 people, four weeks")


def _latencies(edits: Sequence[Numbers], bare: Numbers, totals: Numbers, setting: str) -> Iterator[Figure]:
    took = [edit["seconds"] for edit in edits]
    floor = [sum(bare["each"][edit["first"] : edit["last"]]) for edit in edits]
    for share in (0.50, 0.95, 0.99):
        name = f"change_latency_p{share * 100:.0f}"
        yield Figure(name, percentile(took, share), "s", percentile(floor, share), setting)
    # Read what the bell announces, write the copy, read the copy's echo.
    yield Figure("change_requests", totals["requests"] / len(edits), "requests/change", 3.0, setting)


GROUPS: dict[str, tuple[str, ...]] = {
    "backfill": ("backfill_rate", "backfill_cpu", "backfill_requests", "backfill_quota"),
    "change": ("change_latency_p50", "change_latency_p95", "change_latency_p99", "change_requests"),
    "idle": ("idle_requests", "idle_writes", "idle_statements", "idle_seconds"),
    "memory": ("pull_outlook_memory", "pull_outlook_rate", "pull_google_memory", "pull_google_rate"),
    "rules": ("rules_rate", "rules_clock_rate"),
    "busy": ("busy_lookup_p95", "free_slots_p95"),
    "policy": ("policy_preview_seconds", "policy_preview_requests", "policy_writes", "policy_apply_seconds"),
}

GOALS: dict[str, Goal] = {
    "backfill_rate": Goal(share=0.5),
    "backfill_requests": Goal(most=1.2),
    "backfill_quota": Goal(most=1.2),
    "change_latency_p95": Goal(most=2.0),
    "change_requests": Goal(most=3.0),
    "idle_requests": Goal(most=1.0),
    "idle_writes": Goal(most=0.0),
    "pull_outlook_memory": Goal(most=300.0),
    "pull_google_memory": Goal(most=300.0),
    "rules_rate": Goal(least=50_000.0),
    "rules_clock_rate": Goal(least=50_000.0),
    "policy_preview_seconds": Goal(most=30.0),
    "policy_preview_requests": Goal(most=0.0),
    "policy_writes": Goal(most=1.0),
    "busy_lookup_p95": Goal(most=20.0),
    "free_slots_p95": Goal(most=100.0),
}


def figures(bench: Bench, only: str = "") -> Iterator[Figure]:
    """Measure everything, one group, or one figure, as it comes."""
    for group, names in GROUPS.items():
        if only in ("", group, *names):
            measured: Iterator[Figure] = getattr(bench, group)()
            yield from (figure for figure in measured if only in ("", group, figure.name))
