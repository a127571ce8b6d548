package dev.mvx.metrics;

import java.time.Duration;
import java.util.Arrays;

/** What the options of runtimes, recorders and batches have in common. */
final class Options {
    private Options() {}

    /** An option that is not set is 0. */
    static long code(Enum<?> option) {
        return option == null ? 0 : option.ordinal() + 1;
    }

    /** To the library 0 means the default; who says 0 means something else. What is negative it refuses itself. */
    static long notZero(String argument, long value) {
        if (value == 0) {
            throw MetricsException.badArgument(argument, argument + " must be positive, and is 0");
        }
        return value;
    }

    static long notZero(String argument, Duration value) {
        return notZero(argument, nanos(value));
    }

    /** What is too long for a long is 292 years. */
    static long nanos(Duration value) {
        try {
            return value.toNanos();
        } catch (ArithmeticException tooLong) {
            return value.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    static long[] join(long[] first, long[] second) {
        long[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }
}
