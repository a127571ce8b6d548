import dev.mvx.metrics.Event;
import dev.mvx.metrics.EventOf;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.Metric;
import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.Runtime;
import dev.mvx.metrics.Snapshot;
import dev.mvx.metrics.Writer;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Counts the attempts to save a document. The storage says what happened and knows no counter; a metric decides what an
 * attempt means to it; the recorder hands it the events on a thread of the library.
 */
public final class DocumentStorage {
    private static final String NAME = "document_storage.save.attempts";

    enum Outcome { SUCCESS, FAILURE }

    record SaveAttempt(Outcome outcome, double seconds) {}

    private static final EventOf<SaveAttempt> SAVE =
            EventOf.declare("document_storage.save.attempt", SaveAttempt.class);

    /** Needs no lock: a recorder calls its metrics one at a time. */
    private static final class SaveCounts implements Metric {
        private long successes;
        private long failures;

        @Override
        public List<EventType> eventTypes() {
            return List.of(SAVE.type());
        }

        @Override
        public boolean handle(Event event) {
            if (SAVE.of(event).outcome() == Outcome.SUCCESS) {
                successes++;
            } else {
                failures++;
            }
            return true;
        }

        @Override
        public void snapshot(Writer writer) {
            writer.put("total", successes + failures)
                    .put("success_total", successes)
                    .put("failure_total", failures);
        }
    }

    public static void main(String[] arguments) {
        try (Runtime runtime = Runtime.create()) {
            runtime.start();
            try (Recorder recorder = runtime.createRecorder("document_storage")) {
                recorder.registerMetric(NAME, new SaveCounts());
                SAVE.register(recorder, new SaveAttempt(Outcome.SUCCESS, 0.012));
                SAVE.register(recorder, new SaveAttempt(Outcome.FAILURE, 1.5));
                SAVE.register(recorder, new SaveAttempt(Outcome.SUCCESS, 0.009));
                try (Snapshot snapshot = recorder.snapshot(Duration.ofSeconds(1))) {
                    Map<String, Object> saves = snapshot.metric(NAME);
                    System.out.printf("{\"total\": %d, \"success_total\": %d, \"failure_total\": %d}%n",
                            saves.get("total"), saves.get("success_total"), saves.get("failure_total"));
                }
            }
            runtime.shutdown();
        }
    }
}
