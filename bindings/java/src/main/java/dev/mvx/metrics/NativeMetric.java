package dev.mvx.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Declares a metric that needs no callback; what is not set has its default. Then register it with
 * {@link Recorder#registerNativeMetric}, which copies it. For one thread.
 *
 * <p>Its snapshot is {@code {"value": 3}}; with {@link #groupBy} it is {@code {"series": [{"labels": {"route": "/"},
 * "value": 3}, ...], "overflow_events": 0}}, with the series in the order of their first appearance. Labels are always
 * texts. A kind that the library in use does not offer is UNSUPPORTED when it is registered.
 */
public final class NativeMetric {
    private final MetricKind kind;
    private final String name;
    private int[] eventTypes = {};
    private String unit = "";
    private String help = "";
    private String valueField = "";
    private int flags;
    private List<String> groupBy = List.of();
    private long maxSeries;
    private double[] bounds = {};
    private double relativeError;
    private final List<String> filterTexts = new ArrayList<>();
    private final List<Long> filterNumbers = new ArrayList<>();

    private NativeMetric(MetricKind kind, String name) {
        this.kind = Objects.requireNonNull(kind, "kind");
        this.name = Objects.requireNonNull(name, "name");
    }

    /**
     * A metric of any kind.
     *
     * @param kind its kind
     * @param name its name in its recorder; 1 to 255 bytes
     * @return the declaration
     */
    public static NativeMetric of(MetricKind kind, String name) {
        return new NativeMetric(kind, name);
    }

    /**
     * A sum that only grows; without a value field it counts events.
     *
     * @param name its name in its recorder
     * @return the declaration
     */
    public static NativeMetric counter(String name) {
        return of(MetricKind.COUNTER, name);
    }

    /**
     * A sum that grows and shrinks.
     *
     * @param name its name in its recorder
     * @return the declaration
     */
    public static NativeMetric upDownCounter(String name) {
        return of(MetricKind.UP_DOWN_COUNTER, name);
    }

    /**
     * The last value; null before the first event.
     *
     * @param name its name in its recorder
     * @return the declaration
     */
    public static NativeMetric gauge(String name) {
        return of(MetricKind.GAUGE, name);
    }

    /**
     * How many values lie between given bounds.
     *
     * @param name its name in its recorder
     * @param bounds the bounds, ascending
     * @return the declaration
     */
    public static NativeMetric histogram(String name, double... bounds) {
        return of(MetricKind.HISTOGRAM, name).bounds(bounds);
    }

    /**
     * How many values lie between bounds that grow by powers of 2.
     *
     * @param name its name in its recorder
     * @return the declaration
     */
    public static NativeMetric exponentialHistogram(String name) {
        return of(MetricKind.EXPONENTIAL_HISTOGRAM, name);
    }

    /**
     * Quantiles with a stated relative error.
     *
     * @param name its name in its recorder
     * @return the declaration
     */
    public static NativeMetric quantileSketch(String name) {
        return of(MetricKind.QUANTILE_SKETCH, name);
    }

    /**
     * How many different values there were.
     *
     * @param name its name in its recorder
     * @return the declaration
     */
    public static NativeMetric distinctCount(String name) {
        return of(MetricKind.DISTINCT_COUNT, name);
    }

    /**
     * The event types that the metric looks at; at least one.
     *
     * @param types the types
     * @return this
     */
    public NativeMetric eventTypes(EventType... types) {
        return eventTypes(List.of(types));
    }

    /**
     * The event types that the metric looks at; at least one.
     *
     * @param types the types
     * @return this
     */
    public NativeMetric eventTypes(List<EventType> types) {
        eventTypes = EventType.numbers(types);
        return this;
    }

    /**
     * What the values are measured in, such as {@code bytes}.
     *
     * @param unit the unit
     * @return this
     */
    public NativeMetric unit(String unit) {
        this.unit = Objects.requireNonNull(unit, "unit");
        return this;
    }

    /**
     * A sentence for people.
     *
     * @param help the sentence
     * @return this
     */
    public NativeMetric help(String help) {
        this.help = Objects.requireNonNull(help, "help");
        return this;
    }

    /**
     * The field that is the value; all event types declare it. Without, each event is worth 1.
     *
     * @param field its name
     * @return this
     */
    public NativeMetric valueField(String field) {
        valueField = Objects.requireNonNull(field, "field");
        return this;
    }

    /**
     * Flags of the metric; there are none yet.
     *
     * @param flags 0
     * @return this
     */
    public NativeMetric flags(int flags) {
        this.flags = flags;
        return this;
    }

    /**
     * Fields by which to group: each combination of their values gets a series of its own.
     *
     * @param fields their names, 16 at most
     * @return this
     */
    public NativeMetric groupBy(String... fields) {
        groupBy = List.of(fields);
        return this;
    }

    /**
     * How many series there are at most; further groups share one overflow series.
     *
     * @param series 2,000 by default, at most 1,048,576
     * @return this
     */
    public NativeMetric maxSeries(long series) {
        maxSeries = Options.notZero("max_series", series);
        return this;
    }

    /**
     * The bounds of a histogram.
     *
     * @param bounds ascending
     * @return this
     */
    public NativeMetric bounds(double... bounds) {
        this.bounds = bounds.clone();
        return this;
    }

    /**
     * The greatest relative error of a quantile sketch.
     *
     * @param error more than 0 and less than 1
     * @return this
     */
    public NativeMetric relativeError(double error) {
        relativeError = error;
        return this;
    }

    private NativeMetric filter(String field, Comparison comparison, int valueKind, long bits, String text) {
        filterTexts.add(Objects.requireNonNull(field, "field"));
        filterTexts.add(Objects.requireNonNull(text, "value"));
        filterNumbers.addAll(List.of((long) comparison.code(), (long) valueKind, bits));
        return this;
    }

    /**
     * Ignores events whose field does not compare so.
     *
     * @param field the name of a declared field
     * @param comparison how the field compares with the value
     * @param value the value
     * @return this
     */
    public NativeMetric where(String field, Comparison comparison, boolean value) {
        return filter(field, comparison, ValueKind.BOOL, value ? 1 : 0, "");
    }

    /**
     * Ignores events whose field does not compare so.
     *
     * @param field the name of a declared field
     * @param comparison how the field compares with the value
     * @param value the value
     * @return this
     */
    public NativeMetric where(String field, Comparison comparison, long value) {
        return filter(field, comparison, ValueKind.I64, value, "");
    }

    /**
     * Ignores events whose field does not compare so.
     *
     * @param field the name of a declared field
     * @param comparison how the field compares with the value
     * @param bits the bits of a value without a sign
     * @return this
     */
    public NativeMetric whereUnsigned(String field, Comparison comparison, long bits) {
        return filter(field, comparison, ValueKind.U64, bits, "");
    }

    /**
     * Ignores events whose field does not compare so.
     *
     * @param field the name of a declared field
     * @param comparison how the field compares with the value
     * @param value the value
     * @return this
     */
    public NativeMetric where(String field, Comparison comparison, double value) {
        return filter(field, comparison, ValueKind.F64, Double.doubleToRawLongBits(value), "");
    }

    /**
     * Ignores events whose field does not compare so.
     *
     * @param field the name of a declared field, a symbol or text
     * @param comparison how the field compares with the value
     * @param value the value
     * @return this
     */
    public NativeMetric where(String field, Comparison comparison, String value) {
        return filter(field, comparison, ValueKind.STR, 0, value);
    }

    void register(long recorder) {
        byte[][] texts = {Native.utf8(name), Native.utf8(unit), Native.utf8(help), Native.utf8(valueField)};
        long[] numbers = {kind.code(), flags, maxSeries};
        Native.registerNativeMetric(
                recorder, texts, numbers, eventTypes, Native.utf8(groupBy), Native.utf8(filterTexts),
                filterNumbers.stream().mapToLong(Long::longValue).toArray(), bounds, relativeError);
    }
}
