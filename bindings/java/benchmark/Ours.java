import dev.mvx.metrics.Batch;
import dev.mvx.metrics.EventBuffer;
import dev.mvx.metrics.EventOf;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.Folding;
import dev.mvx.metrics.NativeMetric;
import dev.mvx.metrics.OverflowPolicy;
import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.RecorderOptions;
import dev.mvx.metrics.Runtime;
import dev.mvx.metrics.Stats;
import dev.mvx.metrics.Symbol;
import dev.mvx.metrics.Wait;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A way of ours to record events of 16 bytes, a label and a value, with a recorder of its own. */
abstract class Ours extends Row {
    record Save(Symbol outcome, double seconds) {}

    static final EventOf<Save> SAVE = EventOf.declare("benchmark.save", Save.class);
    static final EventType TYPE = SAVE.type();
    static final Symbol SUCCESS = Symbol.intern("success");
    static final int OUTCOME = TYPE.indexOf("outcome");
    static final int SECONDS = TYPE.indexOf("seconds");

    final Recorder recorder;

    private Ours(String name, Runtime runtime, Folding folding) {
        super(folding == Folding.ON ? name : name + ", through the queue");
        // Room for more than a round: what is measured are events that are accepted.
        recorder = runtime.createRecorder(this.name, new RecorderOptions()
                .queueMaxSize(4L * Rounds.EVENTS).overflowPolicy(OverflowPolicy.RAISE_ERROR).folding(folding));
        recorder.registerNativeMetric(NativeMetric.counter("saves").eventTypes(TYPE).groupBy("outcome"));
    }

    @Override
    final void settle() {
        try (Wait flushed = recorder.flush()) {
            flushed.block();
        }
    }

    @Override
    final void verify(long recorded) {
        Stats stats = recorder.stats();
        expect(recorded, stats.accepted());
        expect(recorded, stats.dispatched());
    }

    /** Puts the fields of each event. */
    static Ours buffer(Runtime runtime, Folding folding) {
        return new Ours("buffer", runtime, folding) {
            private final EventBuffer buffer = SAVE.buffer(recorder);

            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    buffer.put(OUTCOME, SUCCESS);
                    buffer.put(SECONDS, i * 1e-6);
                    buffer.register();
                }
            }
        };
    }

    /** Records the same event again: nothing but the call. */
    static Ours bufferAsItIs(Runtime runtime, Folding folding) {
        return new Ours("buffer as it is", runtime, folding) {
            private final EventBuffer buffer = SAVE.buffer(recorder);

            @Override
            void record(int events) {
                buffer.put(OUTCOME, SUCCESS);
                buffer.put(SECONDS, 0.012);
                for (int i = 0; i < events; i++) {
                    buffer.register();
                }
            }
        };
    }

    static Ours array(Runtime runtime, Folding folding) {
        byte[] payload = new byte[TYPE.length()];
        ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder())
                .putInt(TYPE.fields().get(OUTCOME).offset(), SUCCESS.number())
                .putDouble(TYPE.fields().get(SECONDS).offset(), 0.012);
        return new Ours("byte[]", runtime, folding) {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    recorder.registerEvent(TYPE, payload);
                }
            }
        };
    }

    /** A new record for each event. */
    static Ours record(Runtime runtime, Folding folding) {
        return new Ours("record", runtime, folding) {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    SAVE.register(recorder, new Save(SUCCESS, i * 1e-6));
                }
            }
        };
    }

    /** What the batch holds at the end of a round is sent within the round. */
    static Ours batch(Runtime runtime, Folding folding) {
        return new Ours("batch", runtime, folding) {
            private final Batch batch = TYPE.batch(recorder);

            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    batch.put(OUTCOME, SUCCESS);
                    batch.put(SECONDS, i * 1e-6);
                    batch.register();
                }
                batch.send();
            }
        };
    }
}
