package dev.mvx.metrics;

import java.math.BigInteger;
import java.util.Map;
import java.util.Objects;

/**
 * Writes the snapshot of a metric, into a map that is open already. It is there while {@link Metric#snapshot} runs; any
 * thread may use it meanwhile. Inside a map every entry has a key of its own, which is not empty; inside a list the key is
 * ignored, and may be null. A write that fails changes nothing, and throws; the snapshot fails then, even where the metric
 * catches that.
 */
public final class Writer {
    private static final int END = -1;

    private long address;
    private MetricsException failure;

    Writer(long address) {
        this.address = address;
    }

    /** Nobody is inside the natives with the address once this returned. */
    synchronized void gone() {
        address = 0;
    }

    synchronized void check() {
        if (failure != null) {
            throw failure;
        }
    }

    private synchronized Writer write(String key, int kind, long bits, String text) {
        if (address == 0) {
            throw new MetricsException(Status.INVALID_HANDLE);
        }
        Status status = Status.of(Native.write(address, Native.utf8(key), kind, bits, Native.utf8(text)));
        if (status != Status.OK) {
            MetricsException refused = status != Status.INVALID_ARGUMENT
                    ? new MetricsException(status)
                    : MetricsException.badArgument(
                            "key",
                            kind == END
                                    ? "there is no map or list to end"
                                    : "the key \"" + key + "\" is empty or there already, or nesting is too deep");
            failure = failure == null ? refused : failure;
            throw refused;
        }
        return this;
    }

    /**
     * Writes a null.
     *
     * @param key its key
     * @return this
     */
    public Writer putNull(String key) {
        return write(key, ValueKind.NULL, 0, null);
    }

    /**
     * Writes a truth value.
     *
     * @param key its key
     * @param value the value
     * @return this
     */
    public Writer put(String key, boolean value) {
        return write(key, ValueKind.BOOL, value ? 1 : 0, null);
    }

    /**
     * Writes a whole number.
     *
     * @param key its key
     * @param value the value
     * @return this
     */
    public Writer put(String key, long value) {
        return write(key, ValueKind.I64, value, null);
    }

    /**
     * Writes a whole number without a sign.
     *
     * @param key its key
     * @param bits its bits
     * @return this
     */
    public Writer putUnsigned(String key, long bits) {
        return write(key, ValueKind.U64, bits, null);
    }

    /**
     * Writes a floating point number; NaN and infinities are allowed.
     *
     * @param key its key
     * @param value the value
     * @return this
     */
    public Writer put(String key, double value) {
        return write(key, ValueKind.F64, Double.doubleToRawLongBits(value), null);
    }

    /**
     * Writes a text.
     *
     * @param key its key
     * @param value the value
     * @return this
     */
    public Writer put(String key, String value) {
        return write(key, ValueKind.STR, 0, Objects.requireNonNull(value, "value"));
    }

    /**
     * Begins a map: what follows goes into it, until {@link #end}.
     *
     * @param key its key
     * @return this
     */
    public Writer beginMap(String key) {
        return write(key, ValueKind.MAP, 0, null);
    }

    /**
     * Begins a list: what follows goes into it, until {@link #end}.
     *
     * @param key its key
     * @return this
     */
    public Writer beginList(String key) {
        return write(key, ValueKind.LIST, 0, null);
    }

    /**
     * Ends the map or list that was begun last. Each one must be ended, or the snapshot fails.
     *
     * @return this
     */
    public Writer end() {
        return write(null, END, 0, null);
    }

    /**
     * Writes a value of any of the types that a snapshot gives, and of other whole and floating point numbers.
     *
     * @param key its key
     * @param value null, Boolean, Byte, Short, Integer, Long, BigInteger (0 to 2^64-1), Float, Double, String, or an
     *     Iterable or Map of these
     * @return this
     * @throws IllegalArgumentException if it is something else
     */
    public Writer putValue(String key, Object value) {
        if (value == null) {
            return putNull(key);
        } else if (value instanceof Boolean) {
            return put(key, (boolean) value);
        } else if (value instanceof Double || value instanceof Float) {
            return put(key, ((Number) value).doubleValue());
        } else if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return put(key, ((Number) value).longValue());
        } else if (value instanceof BigInteger) {
            return putUnsigned(key, unsigned((BigInteger) value));
        } else if (value instanceof String) {
            return put(key, (String) value);
        } else if (value instanceof Iterable) {
            beginList(key);
            ((Iterable<?>) value).forEach(item -> putValue(null, item));
            return end();
        } else if (value instanceof Map) {
            beginMap(key);
            ((Map<?, ?>) value).forEach((name, item) -> putValue(String.valueOf(name), item));
            return end();
        }
        throw new IllegalArgumentException("a snapshot can't hold a " + value.getClass().getName());
    }

    private static long unsigned(BigInteger value) {
        if (value.signum() < 0 || value.bitLength() > Long.SIZE) {
            throw new IllegalArgumentException("a snapshot can't hold " + value);
        }
        return value.longValue();
    }
}
