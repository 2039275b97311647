# Median and 99th percentile of each strategy's creates: Rscript latency.R RUN
run <- commandArgs(trailingOnly = TRUE)[1]
summary <- read.csv(file.path(run, "summary.csv"))
creates <- subset(summary, op == "create")
columns <- c("strategy", "throughput_ops", "p50_us", "p99_us", "linearizable")
print(creates[columns], row.names = FALSE)
