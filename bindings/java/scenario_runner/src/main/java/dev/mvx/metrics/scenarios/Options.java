package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.MetricErrorPolicy;
import dev.mvx.metrics.OverflowPolicy;
import dev.mvx.metrics.RecorderOptions;
import dev.mvx.metrics.RuntimeOptions;
import java.time.Duration;
import java.util.function.Consumer;

/** The options that steps give. */
final class Options {
    private Options() {}

    /** What is absent is left alone. */
    private static void text(Object options, String key, Consumer<String> set) {
        if (Json.get(options, key) != null) {
            set.accept(Given.text(Json.get(options, key)));
        }
    }

    /** An explicit 0, which in C stands for the default, the binding refuses: here the option is left to its default. */
    private static void number(Object options, String key, Consumer<Long> set) {
        long value = Given.integer(options, key, 0);
        if (value != 0) {
            set.accept(value);
        }
    }

    private static void milliseconds(Object options, String key, Consumer<Duration> set) {
        number(options, key, value -> set.accept(Duration.ofMillis(value)));
    }

    private static <E extends Enum<E>> void constant(Object options, String key, Class<E> kind, Consumer<E> set) {
        Object value = Json.get(options, key);
        if (value != null && !value.equals(0L)) {
            set.accept(Given.constant(kind, value));
        }
    }

    static RuntimeOptions ofRuntime(Call call) {
        RuntimeOptions options = new RuntimeOptions();
        Object given = call.get("options");
        text(given, "name_space", options::namespace);
        text(given, "thread_name_prefix", options::threadNamePrefix);
        number(given, "recorder_queue_max_size", options::recorderQueueMaxSize);
        number(given, "recorder_queue_max_bytes", options::recorderQueueMaxBytes);
        constant(given, "recorder_overflow_policy", OverflowPolicy.class, options::recorderOverflowPolicy);
        number(given, "worker_threads", threads -> options.workerThreads(Math.toIntExact(threads)));
        milliseconds(given, "shutdown_timeout_ms", options::shutdownTimeout);
        if (Json.get(given, "log") != null) {
            options.log(ScriptedLog.use(call.scenario, (String) Json.get(given, "log")));
        }
        return options;
    }

    static RecorderOptions ofRecorder(Call call) {
        RecorderOptions options = new RecorderOptions();
        Object given = call.get("options");
        text(given, "entity_id", options::entityId);
        text(given, "name_space", options::namespace);
        number(given, "queue_max_size", options::queueMaxSize);
        number(given, "queue_max_bytes", options::queueMaxBytes);
        constant(given, "overflow_policy", OverflowPolicy.class, options::overflowPolicy);
        milliseconds(given, "block_timeout_ms", options::blockTimeout);
        constant(given, "metric_error_policy", MetricErrorPolicy.class, options::metricErrorPolicy);
        if (Json.get(given, "hooks") != null) {
            ScriptedHooks hooks = call.scenario.hooks.get(Json.get(given, "hooks"));
            if (hooks == null) {
                throw new Broken("unknown hooks " + Json.show(Json.get(given, "hooks")));
            }
            options.hooks(hooks.use());
        }
        if (Json.get(given, "log") != null) {
            options.log(ScriptedLog.use(call.scenario, (String) Json.get(given, "log")));
        }
        return options;
    }
}
