package dev.mvx.metrics;

/**
 * A metric as {@link Recorder#iterMetrics()} shows it.
 *
 * @param name the name that it was registered under
 * @param kind its kind
 * @param state its state
 * @param metric the very object that was registered; null where it is native or another language's
 * @param error why it is quarantined; null where it is not
 */
public record MetricInfo(String name, MetricKind kind, MetricState state, Metric metric, MetricsException error) {}
