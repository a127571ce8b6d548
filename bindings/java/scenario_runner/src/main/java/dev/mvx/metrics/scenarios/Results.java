package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.MetricsException;
import dev.mvx.metrics.Status;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What a step gives: the status of a call, its error, and what else it gave. */
final class Results {
    private Results() {}

    /** Calls the binding; what the call gives is put into the result. */
    static <T> Map<String, Object> of(Supplier<T> call, BiConsumer<Map<String, Object>, T> put) {
        T value;
        try {
            value = call.get();
        } catch (MetricsException failure) {
            return failed(failure);
        }
        Map<String, Object> result = Json.map("status", "OK", "error", Json.NULL);
        put.accept(result, value);
        return result;
    }

    /** The same where what it gives is bound to a name. */
    static <T> Map<String, Object> giving(Supplier<T> call, Consumer<T> give) {
        return of(call, (result, value) -> give.accept(value));
    }

    static Map<String, Object> of(Runnable call) {
        return giving(
                () -> {
                    call.run();
                    return null;
                },
                nothing -> {});
    }

    /** For steps whose C function offers no error: only the status counts. */
    static Map<String, Object> plain(Map<String, Object> result) {
        result.remove("error");
        return result;
    }

    static Map<String, Object> failed(MetricsException failure) {
        if (failure.status() == Status.OK || failure.reason().isEmpty() || failure.getMessage().isEmpty()) {
            throw new Broken("the error has no status, no reason or no message: " + failure);
        }
        return Json.map("status", failure.status().name(), "error", error(failure));
    }

    /** An error as the scenarios show it. */
    static Object error(Throwable error) {
        if (error == null) {
            return Json.NULL;
        }
        if (!(error instanceof MetricsException)) {
            throw new Broken("an error of an unknown type: " + error);
        }
        MetricsException known = (MetricsException) error;
        return Json.map(
                "status", known.status().name(), "reason", known.reason(), "message", known.getMessage(),
                "details", details(known), "cause", error(known.getCause()));
    }

    private static Object details(MetricsException error) {
        try {
            Object details = Json.parse(error.detailsJson());
            if (!Json.same(details, Values.ofHost(error.details()))) {
                throw new Broken("the details are " + error.detailsJson() + ", as a map " + error.details());
            }
            return details;
        } catch (IOException noJson) {
            throw new Broken("the details are no JSON: " + error.detailsJson());
        }
    }

    // ---- of many calls ----

    static void count(Map<String, Object> statuses, String status, long by) {
        statuses.merge(status, by, (before, more) -> (Long) before + (Long) more);
    }

    /** The status that all have in common, and how often each occurred. */
    static Map<String, Object> ofMany(Map<String, Object> statuses) {
        String status = statuses.size() > 1
                ? "MIXED"
                : statuses.keySet().stream().findFirst().orElse("OK");
        return Json.map("status", status, "statuses", statuses);
    }

    static Map<String, Object> nothing() {
        return new LinkedHashMap<>();
    }
}
