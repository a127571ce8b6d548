module mvx.dev/metrics

go 1.19
