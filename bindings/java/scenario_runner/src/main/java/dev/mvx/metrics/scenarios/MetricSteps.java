package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Comparison;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.MetricInfo;
import dev.mvx.metrics.MetricKind;
import dev.mvx.metrics.NativeMetric;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Steps on the metrics of a recorder. */
final class MetricSteps {
    private MetricSteps() {}

    static void register() {
        Operations.add("recorder_register_metric", "recorder metric name", "error", MetricSteps::registerMetric);
        Operations.add("recorder_register_native_metric", "recorder spec", "error", MetricSteps::registerNative);
        Operations.add("recorder_iter_metrics", "recorder stop_after null_out", "error metrics", MetricSteps::iter);
    }

    private static Map<String, Object> registerMetric(Call call) {
        if (Json.get(call.get("metric"), "$null") != null) {
            throw new Unsayable("NULL in place of a metric");
        }
        ScriptedMetric metric = call.scenario.metrics.get(call.string("metric"));
        if (metric == null) {
            throw new Broken("unknown metric " + Json.show(call.get("metric")));
        }
        Given.refuseStructSize(metric.config);
        if (Json.get(metric.config, "without") != null) {
            throw new Unsayable("a metric that lacks functions");
        }
        String name = call.get("name") == null ? metric.key : call.text("name");
        List<EventType> types = EventSteps.typesOf(call, Json.get(metric.config, "events"));
        MetricUse use = new MetricUse(call.scenario, metric, types);
        return call.onRecorder(recorder -> Results.of(() -> recorder.registerMetric(name, use)));
    }

    private static Map<String, Object> registerNative(Call call) {
        Object spec = call.get("spec");
        if (Json.get(spec, "$null") != null) {
            throw new Unsayable("NULL in place of a spec");
        }
        return call.onRecorder(recorder -> Results.of(() -> recorder.registerNativeMetric(nativeMetric(call, spec))));
    }

    private static NativeMetric nativeMetric(Call call, Object spec) {
        NativeMetric metric = NativeMetric.of(
                Given.constant(MetricKind.class, Json.get(spec, "kind")), Given.text(Json.get(spec, "name")));
        metric.eventTypes(EventSteps.typesOf(call, Json.get(spec, "events")));
        if (Json.get(spec, "unit") != null) {
            metric.unit(Given.text(Json.get(spec, "unit")));
        }
        if (Json.get(spec, "help") != null) {
            metric.help(Given.text(Json.get(spec, "help")));
        }
        if (Json.get(spec, "value_field") != null) {
            metric.valueField(Given.text(Json.get(spec, "value_field")));
        }
        if (Json.get(spec, "flags") != null) {
            metric.flags((int) Given.integer(spec, "flags", 0));
        }
        if (Given.integer(spec, "max_series", 0) != 0) {
            metric.maxSeries(Given.integer(spec, "max_series", 0));
        }
        if (Json.get(spec, "group_by") != null) {
            metric.groupBy(Json.list(Json.get(spec, "group_by")).stream().map(Given::text).toArray(String[]::new));
        }
        if (Json.get(spec, "bounds") != null) {
            metric.bounds(Json.list(Json.get(spec, "bounds")).stream().mapToDouble(Values::real).toArray());
        }
        if (Json.get(spec, "relative_error") != null) {
            metric.relativeError(Values.real(Json.get(spec, "relative_error")));
        }
        Json.list(Json.get(spec, "filters")).forEach(filter -> addFilter(metric, filter));
        return metric;
    }

    private static void addFilter(NativeMetric metric, Object filter) {
        String field = Given.text(Json.get(filter, "field"));
        Comparison op = Given.constant(Comparison.class, Json.get(filter, "op"));
        Object value = Json.get(filter, "value");
        Object kind = Json.get(filter, "value_kind");
        switch (kind == null ? kindOf(value) : String.valueOf(kind)) {
            case "BOOL":
                metric.where(field, op, value instanceof Boolean ? (boolean) value : Values.whole(value) != 0);
                break;
            case "I64":
                metric.where(field, op, value instanceof Boolean ? ((boolean) value ? 1L : 0L) : Values.whole(value));
                break;
            case "U64":
                metric.whereUnsigned(field, op, Values.whole(value));
                break;
            case "F64":
                metric.where(field, op, Values.real(value));
                break;
            case "STR":
                metric.where(field, op, Given.text(value));
                break;
            default:
                if (kind instanceof Long) {
                    throw new Unsayable("a value of no kind");
                }
                throw new Broken("a filter's value of kind " + Json.show(kind) + ": " + Json.show(value));
        }
    }

    private static String kindOf(Object value) {
        if (value instanceof Boolean) {
            return "BOOL";
        } else if (value instanceof Double) {
            return "F64";
        } else if (value instanceof BigInteger) {
            return "U64";
        }
        return value instanceof Long ? "I64" : "STR";
    }

    private static Map<String, Object> iter(Call call) {
        long stopAfter = call.integer("stop_after", Long.MAX_VALUE);
        return call.onRecorder(recorder -> Results.of(recorder::iterMetrics, (got, metrics) -> {
            List<Object> rows = new ArrayList<>();
            // The binding gives all at once: who wants fewer goes through fewer.
            metrics.stream().limit(stopAfter).map(MetricSteps::row).forEach(rows::add);
            got.put("metrics", rows);
        }));
    }

    private static Map<String, Object> row(MetricInfo info) {
        Object object = info.metric() == null ? Json.NULL : MetricUse.nameOf(info.metric(), "-");
        return Json.map(
                "name", info.name(), "kind", info.kind().name(), "state", info.state().name(), "object", object,
                "error", Results.error(info.error()));
    }
}
