# Throughput of each strategy over time, as SVG: gnuplot -c timeline.gp RUN > timeline.svg
set datafile separator comma
set terminal svg size 640,400
set xlabel "time (s)"
set ylabel "throughput (ops/s)"
set yrange [0:*]
set key outside top center horizontal
file = ARG1."/intervals.csv"
# A row of another strategy or operation is no point.
of(name) = (strcol("strategy") eq name && strcol("op") eq "all") ? column("throughput_ops") : NaN
plot for [name in "global broker static cache"] \
  file using (column("t_ms") / 1000):(of(name)) with points pointtype 7 pointsize 0.4 title name
