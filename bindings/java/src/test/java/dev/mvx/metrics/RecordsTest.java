package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordsTest extends Fixture {
    enum Color { RED, GREEN }

    record All(
            byte small, short medium, int whole, long large, float real, double precise, boolean truth, String route,
            Symbol symbol, Color color, @EventField(text = 6) String note, @EventField(unsigned = true) int statusCode,
            @EventField(name = "called", unsigned = true) long HTTPStatus) {}

    record Nothing() {}

    record Gaps(byte first, long second) {}

    static final EventOf<All> ALL = EventOf.declare("java.test.record", All.class);
    static final EventOf<Nothing> NOTHING = EventOf.declare("java.test.nothing", Nothing.class);
    static final EventOf<Gaps> GAPS = EventOf.declare("java.test.gaps", Gaps.class);

    /** Keeps the records that it sees. */
    static final class Kept extends Counter {
        final List<Object> records = new ArrayList<>();

        @Override
        public boolean handle(Event event) throws Exception {
            Object record = ALL.of(event);
            record = record != null ? record : NOTHING.of(event);
            record = record != null ? record : GAPS.of(event);
            records.add(record != null ? record : event.payload().getLong(0));
            return super.handle(event);
        }
    }

    // Records of 16 bytes at most travel by value, in one or two words.
    record OneWord(byte a, @EventField(unsigned = true) int b, short c) {}

    record TwoWords(boolean truth, Color color, float real, Symbol symbol) {}

    record TwoLongs(long first, double second) {}

    record Route(String route, int number) {}

    static final List<EventOf<?>> SMALL = List.of(
            EventOf.declare("java.test.one_word", OneWord.class), EventOf.declare("java.test.two_words", TwoWords.class),
            EventOf.declare("java.test.two_longs", TwoLongs.class), EventOf.declare("java.test.route", Route.class));

    /** Keeps the small records that it sees. */
    static final class Small extends Counter {
        final List<Object> records = new ArrayList<>();

        @Override
        public boolean handle(Event event) throws Exception {
            for (EventOf<?> type : SMALL) {
                Object record = type.of(event);
                if (record != null) {
                    records.add(record);
                }
            }
            return super.handle(event);
        }
    }

    /** Keeps the bytes that it sees, as text. */
    static final class Payloads extends Counter {
        final List<String> seen = new ArrayList<>();

        @Override
        public boolean handle(Event event) throws Exception {
            byte[] bytes = new byte[event.payload().remaining()];
            event.payload().get(0, bytes);
            seen.add(Arrays.toString(bytes));
            return super.handle(event);
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Record> EventOf<E> small(int index) {
        return (EventOf<E>) SMALL.get(index);
    }

    @Test
    void smallRecordsComeBackAsTheyWere() {
        Recorder recorder = newRecorder();
        Small small = new Small();
        recorder.registerMetric("m", small);
        List<Record> sent = List.of(
                new OneWord((byte) -128, -1, (short) -3), new OneWord((byte) 7, 5, Short.MAX_VALUE),
                new TwoWords(true, Color.GREEN, -0.0f, Symbol.intern("s")),
                new TwoWords(false, Color.RED, Float.MIN_VALUE, Symbol.intern("t")),
                new TwoLongs(Long.MIN_VALUE, Double.NaN), new TwoLongs(-1, 1e300), new Route("/", -7), new Route("", 0));
        for (int i = 0; i < sent.size(); i++) {
            small(i / 2).register(recorder, sent.get(i));
        }
        for (int i = 0; i < sent.size(); i++) {
            try (BatchOf<Record> batch = small(i / 2).batch(recorder)) {
                batch.register(sent.get(i));
            }
        }
        recorder.flush().block(PATIENT);
        List<Object> twice = new ArrayList<>(sent);
        twice.addAll(sent);
        assertEquals(twice, small.records);
    }

    @Test
    void bytesOfAnyLengthComeBackAsTheyWere() {
        Recorder recorder = newRecorder();
        EventType type = EventType.declare("java.test.lengths");
        Payloads payloads = new Payloads();
        recorder.registerMetric("m", payloads);
        List<String> sent = new ArrayList<>();
        for (int length = 0; length <= 300; length++) {
            byte[] payload = new byte[length];
            for (int i = 0; i < length; i++) {
                payload[i] = (byte) (length - 3 * i);
            }
            recorder.registerEvent(type, payload);
            sent.add(Arrays.toString(payload));
        }
        recorder.flush().block(PATIENT);
        assertEquals(sent, payloads.seen);
    }

    @Test
    void recordsComeBackAsTheyWere() {
        Recorder recorder = newRecorder();
        Kept kept = new Kept();
        recorder.registerMetric("m", kept);
        All one = new All((byte) -1, (short) -2, -3, -4, -0.5f, 0.25, true, "/grün", Symbol.intern("s"), Color.GREEN,
                "nöte", -1, -2);
        All other = new All(Byte.MAX_VALUE, Short.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE, Float.NaN, Double.MAX_VALUE,
                false, "", Symbol.intern("t"), Color.RED, "123456", 0, 0);
        ALL.register(recorder, one);
        NOTHING.register(recorder, new Nothing());
        assertEquals(Status.OK, ALL.tryRegister(recorder, other));
        GAPS.register(recorder, new Gaps((byte) 1, 2));
        NUMBERED.register(recorder, new Numbered(0, 0));
        recorder.flush().block(PATIENT);
        assertEquals(List.of(one, new Nothing(), other, new Gaps((byte) 1, 2), 0L), kept.records);
    }

    @Test
    void fieldsAreNamedAndLaidOutAsInC() {
        List<Field> fields = ALL.type().fields();
        assertEquals(List.of(
                "small", "medium", "whole", "large", "real", "precise", "truth", "route", "symbol", "color", "note",
                "status_code", "called"), fields.stream().map(Field::name).toList());
        assertEquals(List.of(0, 2, 4, 8, 16, 24, 32, 36, 40, 44, 48, 56, 64), fields.stream().map(Field::offset).toList());
        assertEquals(FieldKind.TEXT, fields.get(10).kind());
        assertEquals(FieldKind.U32, fields.get(11).kind());
        assertEquals(FieldKind.U64, fields.get(12).kind());
        assertEquals("http_status", RecordCodec.snakeCase("HTTPStatus"));
        assertEquals("status_code", RecordCodec.snakeCase("statusCode"));
        assertEquals(0, NOTHING.type().length());
    }

    @Test
    void nothingOfAnEarlierEventTravelsAlong() {
        Recorder recorder = newRecorder();
        List<Long> heads = new ArrayList<>();
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                heads.add(event.getLong(0));
                return super.handle(event);
            }
        });
        NUMBERED.register(recorder, new Numbered(-1, -1));
        GAPS.register(recorder, new Gaps((byte) 1, 2));
        recorder.flush().block(PATIENT);
        assertEquals(List.of(-1L, 1L), heads);
    }

    record WithObject(Object thing) {}

    record WithChar(char letter) {}

    record TextOfNumber(@EventField(text = 4) int number) {}

    record UnsignedReal(@EventField(unsigned = true) double real) {}

    record TooLarge(@EventField(text = 4096) String one, int two) {}

    @Test
    void whatCantBeAnEventIsRefused() {
        for (Class<? extends Record> record :
                List.of(WithObject.class, WithChar.class, TextOfNumber.class, UnsignedReal.class, TooLarge.class)) {
            IllegalArgumentException refused = assertThrows(
                    IllegalArgumentException.class, () -> EventOf.declare("java.test.refused", record), record.toString());
            assertTrue(refused.getMessage().contains(record.getSimpleName()), refused.getMessage());
        }
    }

    record Texts(String route, @EventField(text = 4) String note, Color color, Symbol symbol) {}

    static final EventOf<Texts> TEXTS = EventOf.declare("java.test.texts", Texts.class);

    @Test
    void nullAndTooLongComponentsAreRefused() {
        Recorder recorder = newRecorder();
        Symbol symbol = Symbol.intern("s");
        for (Texts texts : List.of(
                new Texts(null, "", Color.RED, symbol), new Texts("", null, Color.RED, symbol),
                new Texts("", "", null, symbol), new Texts("", "", Color.RED, null))) {
            NullPointerException refused =
                    assertThrows(NullPointerException.class, () -> TEXTS.register(recorder, texts));
            assertTrue(refused.getMessage().startsWith("Texts."), refused.getMessage());
        }
        assertThrows(IllegalArgumentException.class,
                () -> TEXTS.register(recorder, new Texts("", "12345", Color.RED, symbol)));
        assertEquals(0, recorder.stats().accepted());
        TEXTS.register(recorder, new Texts("", "1234", Color.RED, symbol));
        assertEquals(1, recorder.stats().accepted());
    }

    private static Recorder inner;

    record Reentrant(int number) {
        @Override
        public int number() {
            NUMBERED.register(inner, new Numbered(-1, -1));
            return number;
        }
    }

    static final EventOf<Reentrant> REENTRANT = EventOf.declare("java.test.reentrant", Reentrant.class);

    @Test
    void anAccessorMayRecordToo() {
        inner = newRecorder();
        List<Integer> numbers = new ArrayList<>();
        inner.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                numbers.add(event.getInt(0));
                return super.handle(event);
            }
        });
        REENTRANT.register(inner, new Reentrant(5));
        inner.flush().block(PATIENT);
        assertEquals(List.of(-1, 5), numbers);
    }

    @Test
    void enumOfAnotherLanguageMayBeUnknown() {
        Recorder recorder = newRecorder();
        List<Texts> seen = new ArrayList<>();
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                seen.add(TEXTS.of(event));
                return super.handle(event);
            }
        });
        EventBuffer buffer = TEXTS.buffer(recorder);
        buffer.put("color", "BLUE");
        buffer.register();
        recorder.flush().block(PATIENT);
        assertNull(seen.get(0).color());
        assertEquals("", seen.get(0).route());
    }
}
