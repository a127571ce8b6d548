package dev.mvx.metrics;

import java.lang.ref.Cleaner;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;

/**
 * The state of a recorder's metrics at one moment. It never changes, outlives its recorder, and may be read by any number of
 * threads. Closing it frees it; the garbage collector does that for one that was forgotten. What was read stays; reading
 * once it is closed is INVALID_HANDLE.
 *
 * <p>Values are null, Boolean, Long, Double, String, List, Map (in order), and BigInteger for whole numbers over
 * Long.MAX_VALUE.
 */
public final class Snapshot implements AutoCloseable {
    private final Memory memory;
    private final Cleaner.Cleanable cleanable;
    private volatile Map<String, Object> values;

    Snapshot(long address) {
        memory = new Memory(address);
        cleanable = Handle.CLEANER.register(this, memory);
    }

    /** A snapshot is memory, no handle: nobody may be inside when it is freed. */
    private static final class Memory implements Runnable {
        private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
        private long address;

        Memory(long address) {
            this.address = address;
        }

        <T> T read(LongFunction<T> reader) {
            lock.readLock().lock();
            try {
                if (address == 0) {
                    throw new MetricsException(Status.INVALID_HANDLE);
                }
                return reader.apply(address);
            } finally {
                lock.readLock().unlock();
            }
        }

        @Override
        public void run() {
            lock.writeLock().lock();
            try {
                Native.snapshotFree(address);
                address = 0;
            } finally {
                lock.writeLock().unlock();
            }
        }
    }

    /**
     * The metrics' values by name, in registration order.
     *
     * @return a map that can't be changed
     * @throws MetricsException INVALID_HANDLE
     */
    public Map<String, Object> values() {
        return memory.read(address -> {
            Map<String, Object> known = values;
            if (known == null) {
                @SuppressWarnings("unchecked")
                Map<String, Object> read = (Map<String, Object>) Packed.value(Packed.of(Native.snapshotRead(address)));
                known = read;
                values = read;
            }
            return known;
        });
    }

    /**
     * The names of the metrics, in registration order.
     *
     * @return the names
     * @throws MetricsException INVALID_HANDLE
     */
    public List<String> names() {
        return List.copyOf(values().keySet());
    }

    /**
     * The state of one metric.
     *
     * @param metric its name
     * @return its map; null where there is no such metric
     * @throws MetricsException INVALID_HANDLE
     */
    @SuppressWarnings("unchecked")
    public Map<String, Object> metric(String metric) {
        return (Map<String, Object>) values().get(metric);
    }

    /**
     * Follows a path to a value: {@code at("save_attempts", "series", 0, "value")}.
     *
     * @param metric the name of a metric
     * @param path keys of maps, and Integers for places in lists
     * @return the value; null where there is nothing
     * @throws MetricsException INVALID_HANDLE
     */
    public Object at(String metric, Object... path) {
        Object value = values().get(metric);
        for (Object step : path) {
            if (value instanceof Map) {
                value = ((Map<?, ?>) value).get(step);
            } else if (value instanceof List && step instanceof Integer) {
                List<?> list = (List<?>) value;
                int index = (int) step;
                value = index >= 0 && index < list.size() ? list.get(index) : null;
            } else {
                return null;
            }
        }
        return value;
    }

    /**
     * The snapshot as JSON: {@code {"metric name":{...},...}}, in registration order. NaN and infinities are the strings
     * {@code "NaN"}, {@code "Infinity"} and {@code "-Infinity"}; whole numbers are written in full, however large.
     *
     * @return the JSON text
     * @throws MetricsException INVALID_HANDLE
     */
    public String toJson() {
        return memory.read(address -> Native.text(Native.snapshotJson(address)));
    }

    /**
     * The snapshot as OpenMetrics text.
     *
     * @return the text
     * @throws MetricsException UNSUPPORTED, INVALID_HANDLE
     */
    public String toOpenMetrics() {
        return memory.read(address -> Native.text(Native.snapshotOpenMetrics(address)));
    }

    /** Frees it. Closing it again does nothing. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
