"""Latency percentiles from histograms/STRATEGY.hlog: python3 histogram.py FILE.hlog (needs hdrhistogram)."""
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

# Latencies are in microseconds; each kind of operation is a tagged histogram of its own.
reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 3_600_000_000, 3))
while (histogram := reader.get_next_interval_histogram()) is not None:
    values = (histogram.get_value_at_percentile(share) for share in (50, 95, 99, 99.9))
    print(histogram.get_tag() or "all", *values)
