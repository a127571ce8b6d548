/**
 * The Java binding of mvx_metrics, a metrics recorder that every language in a process shares.
 *
 * <p>Production code says what happened: it records events. A {@linkplain dev.mvx.metrics.Metric metric} decides which
 * events matter to it and how they change its state. A {@linkplain dev.mvx.metrics.Recorder recorder} takes events in a few
 * nanoseconds, hands them to its metrics on the library's own threads, and shows their state as a
 * {@linkplain dev.mvx.metrics.Snapshot snapshot}. A {@linkplain dev.mvx.metrics.Runtime runtime} owns the threads and a
 * registry of recorders.
 *
 * <p>The binding holds no state machine: states, order and errors are those of the library, whose header
 * ({@code mvx_metrics.h}) is the full manual. What holds for all of this package:
 *
 * <p><b>Handles.</b> Runtime, Recorder and Wait are numbers that the library looks up at each call. A call on one that is
 * closed gets INVALID_HANDLE, whatever other threads do meanwhile; closing twice does nothing; the garbage collector closes
 * what was forgotten. {@code handle()} gives the number, for another language in the same process; {@code fromHandle} takes
 * one over; {@code release()} gives one up.
 *
 * <p><b>Threads.</b> Everything may be called from any thread at any time, from callbacks too, unless its text says
 * otherwise. What would wait for itself, such as a callback that waits for the stop of its own recorder, gets
 * WOULD_DEADLOCK.
 *
 * <p><b>Callbacks</b> (metrics, hooks, logs, functions of a Wait) run on threads of the library. These attach to the JVM as
 * daemons at their first callback and stay attached, so a JVM exits without waiting for them. What a callback throws becomes
 * its failure, or is lost where there is none to give (logs, drops, functions of a Wait). A callback must not start another
 * thread and wait for it to wait for the library: only the thread of the callback itself is recognised.
 *
 * <p><b>Errors</b> are {@link dev.mvx.metrics.MetricsException}s, with status, reason, message, details and cause. A null
 * where none may be is a NullPointerException. Times are {@link java.time.Duration}s.
 */
package dev.mvx.metrics;
