"""Median and 99th percentile of each strategy's creates: python3 latency.py RUN (needs pandas)."""
import pathlib
import sys

import pandas

run = pathlib.Path(sys.argv[1])
summary = pandas.read_csv(run / "summary.csv")
creates = summary[summary.op == "create"].set_index("strategy")
print(creates[["throughput_ops", "p50_us", "p99_us", "linearizable"]].to_string())
