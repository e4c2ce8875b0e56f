"""``make bench``: what CalSync costs and how fast it is, each figure beside its floor. See docs/performance.md."""
