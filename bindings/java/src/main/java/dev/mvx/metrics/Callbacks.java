package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the natives call. Nothing is thrown back into them. */
final class Callbacks {
    private static final int FAILED_EVENT = 2;
    private static final int FAILED_SNAPSHOT = 2;
    private static final int FAILED_HOOK = 7;

    private Callbacks() {}

    /** Hands a failure to the library, as the cause of the error that follows. */
    private static int failed(Throwable failure, long error, int outcome) {
        try {
            String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
            if (!message.isEmpty()) {
                Native.callbackErrorSet(error, Native.utf8(message));
            }
        } catch (Throwable worse) {
            // The library finds words of its own.
        }
        return outcome;
    }

    static Dispatch dispatch(int bytes) {
        return new Dispatch(bytes);
    }

    static int events(Object use, Dispatch dispatch, int count, boolean single, long error) {
        Events events = dispatch.events;
        events.begin(count);
        try {
            Metric metric = ((Use.MetricUse) use).metric();
            if (!single) {
                metric.handleBatch(events);
            } else if (events.next() && metric.handle(events.event())) {
                events.markChanged();
            }
            return events.changed() ? 1 : 0;
        } catch (Throwable failure) {
            return failed(failure, error, FAILED_EVENT);
        } finally {
            events.end();
        }
    }

    static int snapshot(Object use, long address, long error) {
        Writer writer = new Writer(address);
        try {
            ((Use.MetricUse) use).metric().snapshot(writer);
            writer.check();
            return 0;
        } catch (Throwable failure) {
            return failed(failure, error, FAILED_SNAPSHOT);
        } finally {
            writer.gone();
        }
    }

    static int hook(Object hooks, boolean starting, long token, long error) {
        try {
            Hooks.Kept to = (Hooks.Kept) hooks;
            return (starting ? to.starting() : to.stopped()).run(new Completion(token)).code();
        } catch (Throwable failure) {
            return failed(failure, error, FAILED_HOOK);
        }
    }

    static int metricChanged(Object hooks, byte[] name, long user, Dispatch dispatch, long token, long error) {
        Events events = dispatch.events;
        events.begin(1);
        try {
            events.next();
            return ((Hooks.Kept) hooks)
                    .changed()
                    .run(Native.text(name), metric(user), events.event(), new Completion(token))
                    .code();
        } catch (Throwable failure) {
            return failed(failure, error, FAILED_HOOK);
        } finally {
            events.end();
        }
    }

    /** Null for a metric that is native or another language's. */
    private static Metric metric(long user) {
        Use.MetricUse use = Use.METRICS.get(user);
        return use == null ? null : use.metric();
    }

    static void log(Object log, byte[] packed) {
        try {
            ByteBuffer from = Packed.of(packed);
            Log.Level level = Log.Level.of(from.getInt());
            String event = Packed.text(from);
            String target = Packed.text(from);
            String entityId = Packed.text(from);
            Map<String, String> fields = new LinkedHashMap<>();
            for (int count = from.getInt(); count > 0; count--) {
                String key = Packed.text(from);
                fields.put(key, Packed.text(from));
            }
            ((Log.Kept) log).sink().write(new Log.Entry(level, event, target, entityId, fields));
        } catch (Throwable lost) {
            // There is nobody to tell: this is where failures are told.
        }
    }

    static void complete(Object use, int operation, MetricsException failure) {
        try {
            ((Use.Complete) use).completed().accept(Operation.of(operation), failure);
        } catch (Throwable lost) {
            // The operation is over; there is nobody to tell.
        }
    }

    static void release(Object use, byte[] payload) {
        try {
            ((Use.Release) use).release().accept(Packed.of(payload));
        } catch (Throwable lost) {
            // The event is gone either way.
        }
    }

    static void visit(Object list, byte[] name, int kind, int state, long user, MetricsException error) {
        @SuppressWarnings("unchecked")
        List<MetricInfo> to = (List<MetricInfo>) list;
        to.add(new MetricInfo(
                Native.text(name), MetricKind.of(kind), MetricState.of(state), metric(user), error));
    }

    static void drop(Object use, long user) {
        try {
            Use.METRICS.remove(user);
            ((Use) use).dropped();
        } catch (Throwable lost) {
            // The object is gone either way.
        }
    }
}
