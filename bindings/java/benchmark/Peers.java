import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import java.util.ArrayList;
import java.util.List;

/** What people use today: a counter with one label, which is looked up or kept. */
final class Peers {
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("outcome");

    private Peers() {}

    static List<Row> all() {
        List<Row> rows = new ArrayList<>();
        micrometer("Micrometer (simple)", new SimpleMeterRegistry(), new SimpleMeterRegistry(), rows);
        micrometer("Micrometer (Prometheus)", new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT), rows);
        prometheus(rows);
        openTelemetry(rows);
        return rows;
    }

    /** Whether ours is to be faster: than a counter that is looked up by its tags, of Micrometer and OpenTelemetry. */
    static boolean isDue(Row peer) {
        return peer.name.endsWith("counter(name, tags).increment()") || peer.name.endsWith("attributes made each time");
    }

    private static void micrometer(String registry, MeterRegistry lookedUp, MeterRegistry kept, List<Row> rows) {
        rows.add(new Row(registry + " counter(name, tags).increment()") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    lookedUp.counter("saves", "outcome", "success").increment();
                }
            }

            @Override
            void verify(long recorded) {
                expect(recorded, lookedUp.counter("saves", "outcome", "success").count());
            }
        });
        io.micrometer.core.instrument.Counter counter = kept.counter("saves", "outcome", "success");
        rows.add(new Row(registry + " increment(), counter kept") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    counter.increment();
                }
            }

            @Override
            void verify(long recorded) {
                expect(recorded, counter.count());
            }
        });
    }

    private static Counter prometheusCounter() {
        return Counter.builder().name("saves").help("Saves.").labelNames("outcome").build();
    }

    private static void prometheus(List<Row> rows) {
        Counter lookedUp = prometheusCounter();
        rows.add(new Row("prometheus-metrics labelValues().inc()") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    lookedUp.labelValues("success").inc();
                }
            }

            @Override
            void verify(long recorded) {
                expect(recorded, lookedUp.labelValues("success").get());
            }
        });
        CounterDataPoint kept = prometheusCounter().labelValues("success");
        rows.add(new Row("prometheus-metrics inc(), data point kept") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    kept.inc();
                }
            }

            @Override
            void verify(long recorded) {
                expect(recorded, kept.get());
            }
        });
    }

    /** Keeps what it needs to read the counter once, at the end. */
    private static final class Reader implements MetricReader {
        private CollectionRegistration registration;

        @Override
        public void register(CollectionRegistration to) {
            registration = to;
        }

        @Override
        public CompletableResultCode forceFlush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public AggregationTemporality getAggregationTemporality(InstrumentType type) {
            return AggregationTemporality.CUMULATIVE;
        }

        double total() {
            long total = 0;
            for (MetricData metric : registration.collectAllMetrics()) {
                for (LongPointData point : metric.getLongSumData().getPoints()) {
                    total += point.getValue();
                }
            }
            return total;
        }
    }

    private static void openTelemetry(List<Row> rows) {
        Reader ofMade = new Reader();
        LongCounter made = openTelemetryCounter(ofMade);
        rows.add(new Row("OpenTelemetry add(), attributes made each time") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    made.add(1, Attributes.of(OUTCOME, "success"));
                }
            }

            @Override
            void verify(long recorded) {
                expect(recorded, ofMade.total());
            }
        });
        Reader ofKept = new Reader();
        LongCounter kept = openTelemetryCounter(ofKept);
        Attributes attributes = Attributes.of(OUTCOME, "success");
        rows.add(new Row("OpenTelemetry add(), attributes kept") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    kept.add(1, attributes);
                }
            }

            @Override
            void verify(long recorded) {
                expect(recorded, ofKept.total());
            }
        });
    }

    private static LongCounter openTelemetryCounter(Reader reader) {
        return SdkMeterProvider.builder().registerMetricReader(reader).build().get("benchmark")
                .counterBuilder("saves").build();
    }
}
