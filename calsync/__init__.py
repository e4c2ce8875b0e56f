"""The library under CalSync: engine, providers and simulator. Nothing in here imports Django."""
