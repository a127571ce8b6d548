package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** What Java registered with the library, which holds it until it drops it. */
interface Use {
    /** Metrics by their user_data: that of another language's metric must not be taken for one of ours. */
    Map<Long, MetricUse> METRICS = new ConcurrentHashMap<>();

    /** Called once, after everything else. */
    void dropped();

    static void run(Runnable callback) {
        if (callback != null) {
            callback.run();
        }
    }

    /** One registration of a metric. */
    record MetricUse(Metric metric) implements Use {
        @Override
        public void dropped() {
            metric.dropped();
        }
    }

    /** The functions of an event type. */
    record Release(Consumer<ByteBuffer> release, Runnable drop) implements Use {
        @Override
        public void dropped() {
            run(drop);
        }
    }

    /** A function that waits for an operation. */
    record Complete(BiConsumer<Operation, MetricsException> completed, Runnable drop) implements Use {
        @Override
        public void dropped() {
            run(drop);
        }
    }
}
