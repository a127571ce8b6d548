package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class EventsTest extends Fixture {
    static final EventType ALL = EventType.builder("java.test.all")
            .field("i8", FieldKind.I8)
            .field("i16", FieldKind.I16)
            .field("i32", FieldKind.I32)
            .field("i64", FieldKind.I64)
            .field("u8", FieldKind.U8)
            .field("u16", FieldKind.U16)
            .field("u32", FieldKind.U32)
            .field("u64", FieldKind.U64)
            .field("f32", FieldKind.F32)
            .field("f64", FieldKind.F64)
            .field("bool", FieldKind.BOOL)
            .field("symbol", FieldKind.SYMBOL)
            .text("text", 5)
            .declare();

    /** Keeps what it sees. */
    static final class Kept extends Counter {
        final List<Event> events = new ArrayList<>();

        @Override
        public boolean handle(Event event) throws Exception {
            events.add(event.copy());
            return super.handle(event);
        }
    }

    private Recorder recorder;
    private final Kept kept = new Kept();

    private List<Event> record(Consumer<Recorder> calls) {
        recorder = newRecorder();
        recorder.registerMetric("m", kept);
        calls.accept(recorder);
        recorder.flush().block(PATIENT);
        return kept.events;
    }

    private static Map<String, Object> fields(Event event) {
        Map<String, Object> fields = new LinkedHashMap<>();
        event.type().fields().forEach(field -> fields.put(field.name(), event.get(field.name())));
        return fields;
    }

    @Test
    void bufferWritesEachKindOfField() {
        Map<String, Object> least = new LinkedHashMap<>();
        Map<String, Object> most = new LinkedHashMap<>();
        List<Event> events = record(to -> {
            EventBuffer buffer = ALL.buffer(to);
            Object[][] values = {
                {"i8", -128L, 127L}, {"i16", -32768L, 32767L}, {"i32", (long) Integer.MIN_VALUE, (long) Integer.MAX_VALUE},
                {"i64", Long.MIN_VALUE, Long.MAX_VALUE}, {"u8", 0L, 255L}, {"u16", 0L, 65535L}, {"u32", 0L, 4294967295L},
            };
            for (Object[] value : values) {
                buffer.put((String) value[0], (long) value[1]);
                least.put((String) value[0], value[1]);
                most.put((String) value[0], value[2]);
            }
            least.putAll(Map.of("u64", 0L, "f32", -0.5, "f64", Double.MIN_VALUE, "bool", false, "symbol", "", "text", ""));
            buffer.put("f32", -0.5);
            buffer.put("f64", Double.MIN_VALUE);
            buffer.put("symbol", "");
            buffer.register();
            for (Object[] value : values) {
                buffer.put((String) value[0], (long) value[2]);
            }
            buffer.put("u64", -1L);
            buffer.put("f32", 3L);
            buffer.put("f64", Double.POSITIVE_INFINITY);
            buffer.put("bool", true);
            buffer.put("symbol", Symbol.intern("grün\0\uD83D\uDE00"));
            buffer.put("text", "ü\u20ac");
            most.putAll(Map.of("u64", new BigInteger("18446744073709551615"), "f32", 3.0,
                    "f64", Double.POSITIVE_INFINITY, "bool", true, "symbol", "grün\0\uD83D\uDE00", "text", "ü\u20ac"));
            assertEquals(Status.OK, buffer.tryRegister());
            buffer.put("text", "a"); // shorter than before
            buffer.register();
        });
        assertEquals(least, fields(events.get(0)));
        assertEquals(most, fields(events.get(1)));
        assertEquals("a", events.get(2).get("text"));
    }

    @Test
    void bufferRefusesWhatAFieldCantHold() {
        EventBuffer buffer = ALL.buffer(newRecorder());
        buffer.put("text", "12345");
        List<Executable> refused = List.of(
                () -> buffer.put("i8", 128), () -> buffer.put("i16", 32768), () -> buffer.put("i32", 1L << 31),
                () -> buffer.put("u8", -1), () -> buffer.put("u16", 65536), () -> buffer.put("u32", 1L << 32),
                () -> buffer.put("i32", 0.5), () -> buffer.put("bool", 1), () -> buffer.put("i8", true),
                () -> buffer.put("symbol", 1), () -> buffer.put("f64", "x"), () -> buffer.put("text", Symbol.intern("x")),
                () -> buffer.put("text", "123456"), () -> buffer.put("text", "12\uD83D\uDE00"), () -> buffer.put("none", 1));
        for (int i = 0; i < refused.size(); i++) {
            assertThrows(IllegalArgumentException.class, refused.get(i), "call " + i);
        }
        assertEquals("12345", Utf8.get(buffer.memory, ALL.fields().get(12).offset(), 5));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.put(13, 1));
    }

    @Test
    void payloadsOfArraysAndBuffers() {
        EventType opaque = EventType.declare("java.test.opaque");
        byte[] large = new byte[4096];
        large[4095] = 9;
        ByteBuffer direct = ByteBuffer.allocateDirect(8).put(new byte[] {0, 1, 2, 3, 4, 5, 6, 7});
        List<Event> events = record(to -> {
            to.registerEvent(opaque);
            to.registerEvent(opaque, new byte[] {1, 2});
            to.registerEvent(opaque, new byte[] {1, 2, 3, 4}, 1, 2);
            to.registerEvent(opaque, large);
            to.registerEvent(opaque, direct.position(5).limit(7));
            to.registerEvent(opaque, ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5}, 1, 3).slice());
            to.registerEvent(opaque, ByteBuffer.wrap(new byte[] {8, 9}).asReadOnlyBuffer());
            assertEquals(Status.OK, to.tryRegisterEvent(opaque, new byte[300]));
            assertEquals(Status.OK, to.tryRegisterEvent(opaque, ByteBuffer.allocate(1)));
            assertEquals(Status.OK, to.tryRegisterEvent(opaque, new byte[3], 3, 0));
            assertEquals(Status.OK, to.tryRegisterEvent(opaque));
            assertEquals(Status.INVALID_ARGUMENT, to.tryRegisterEvent(opaque, new byte[4097]));
            assertEquals(Status.INVALID_ARGUMENT, to.tryRegisterEvent(ALL, new byte[3]));
            assertThrows(IndexOutOfBoundsException.class, () -> to.registerEvent(opaque, new byte[3], 2, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> to.registerEvent(opaque, new byte[3], -1, 2));
            failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> to.registerEvent(opaque, new byte[4097]));
        });
        byte[][] wanted = {{}, {1, 2}, {2, 3}, large, {5, 6}, {2, 3, 4}, {8, 9}, new byte[300], {0}, {}, {}};
        assertEquals(wanted.length, events.size());
        for (int i = 0; i < wanted.length; i++) {
            assertEquals(ByteBuffer.wrap(wanted[i]), events.get(i).payload(), "event " + i);
        }
        assertTrue(events.get(0).payload().isReadOnly());
        assertEquals(ByteOrder.nativeOrder(), events.get(0).payload().order());
    }

    @Test
    void manyEventsInOneCall() {
        List<Event> events = record(to -> {
            byte[] payloads = new byte[24];
            ByteBuffer.wrap(payloads).order(ByteOrder.nativeOrder()).putInt(4, 1).putInt(12, 2).putInt(20, 3);
            assertEquals(new Accepted(3, Status.OK), to.registerEvents(NUMBERED.type(), payloads, 8, 3));
            assertEquals(new Accepted(0, Status.OK), to.registerEvents(NUMBERED.type(), new byte[0], 8, 0));
            assertThrows(IllegalArgumentException.class, () -> to.registerEvents(NUMBERED.type(), payloads, 8, 4));
            assertThrows(IllegalArgumentException.class, () -> to.registerEvents(NUMBERED.type(), payloads, -8, -3));
            failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT",
                    () -> to.registerEvents(NUMBERED.type(), payloads, 4, 6));
        });
        assertEquals(List.of(new Numbered(0, 1), new Numbered(0, 2), new Numbered(0, 3)),
                events.stream().map(NUMBERED::of).toList());
        recorder.stop().block(PATIENT);
        assertEquals(new Accepted(0, Status.INVALID_STATE),
                recorder.registerEvents(NUMBERED.type(), new byte[8], 8, 1));
    }

    @Test
    void typesAreDeclaredOnce() {
        EventType again = EventType.declare("java.test.numbered", new Field("thread", FieldKind.I32, 0),
                new Field("number", FieldKind.I32, 4));
        assertEquals(NUMBERED.type(), again);
        assertEquals(again, EventType.of(again.number()));
        assertEquals(again.hashCode(), NUMBERED.type().hashCode());
        assertNotEquals(again, ALL);
        assertEquals("java.test.numbered", again.toString());
        assertEquals("java.test.numbered", EventType.of(again.number()).name());
        failure(Status.ALREADY_EXISTS, "EVENT_TYPE_ALREADY_EXISTS", () -> EventType.declare("java.test.numbered"));
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> EventType.declare(""));
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> EventType.of(65_000));
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> EventType.of(-1));
        assertEquals(64, ALL.length());
        assertEquals(12, ALL.indexOf("text"));
    }

    @Test
    void symbolsAreTheSameForTheSameText() {
        Symbol symbol = Symbol.intern("java.test.symbol");
        assertEquals(symbol, Symbol.intern(new String("java.test.symbol")));
        assertEquals("java.test.symbol", symbol.text());
        assertNotEquals(symbol, Symbol.intern("java.test.other"));
        assertEquals("", Symbol.textOf(0));
        assertEquals("", Symbol.textOf(-5));
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> new Symbol(0).text());
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> Symbol.intern("x".repeat(4097)));
    }

    @Test
    void timedEventsCarryTheirTime() {
        EventType timed = EventType.builder("java.test.timed").timed().declare();
        Instant before = Instant.now().minus(Duration.ofMillis(100));
        Event event = record(to -> to.registerEvent(timed)).get(0);
        assertTrue(event.time().isAfter(before) && event.time().isBefore(Instant.now().plusMillis(100)));
        assertEquals(event.timeUnixNanos() / 1_000_000, event.time().toEpochMilli());
    }

    @Test
    void releaseRunsOnceForEachAcceptedEvent() {
        AtomicInteger released = new AtomicInteger();
        AtomicInteger dropped = new AtomicInteger();
        EventType type = EventType.builder("java.test.released")
                .field("n", FieldKind.I32)
                .release(payload -> {
                    released.addAndGet(payload.getInt(0));
                    throw new IllegalStateException("lost");
                })
                .onDropped(dropped::incrementAndGet)
                .declare();
        recorder = newRecorder();
        EventBuffer buffer = type.buffer(recorder);
        for (int i = 1; i <= 4; i++) {
            buffer.put(0, i);
            buffer.register();
        }
        recorder.flush().block(PATIENT);
        until("all are released", () -> released.get() == 10);
        recorder.stop().block(PATIENT);
        assertEquals(Status.INVALID_STATE, buffer.tryRegister());
        assertEquals(10, released.get());
        assertEquals(0, dropped.get());
        failure(Status.ALREADY_EXISTS, "EVENT_TYPE_ALREADY_EXISTS", () -> EventType.builder("java.test.released")
                .field("n", FieldKind.I32)
                .release(payload -> {})
                .onDropped(dropped::incrementAndGet)
                .declare());
        assertEquals(1, dropped.get());
    }

    @Test
    void eventIsGoneWhenTheCallbackReturned() {
        List<Object> caught = new ArrayList<>();
        recorder = newRecorder();
        recorder.registerMetric("m", new Counter() {
            private Event before;

            @Override
            public boolean handle(Event event) throws Exception {
                assertThrows(IndexOutOfBoundsException.class, () -> event.getLong(1));
                assertThrows(IndexOutOfBoundsException.class, () -> event.getByte(-1));
                assertThrows(IllegalArgumentException.class, () -> event.get("none"));
                before = event;
                return super.handle(event);
            }

            @Override
            public void snapshot(Writer writer) throws Exception {
                caught.add(assertThrows(IllegalStateException.class, () -> before.getInt(0)));
                caught.add(assertThrows(IllegalStateException.class, before::payload));
                caught.add(assertThrows(IllegalStateException.class, before::type));
                caught.add(assertThrows(IllegalStateException.class, before::copy));
                super.snapshot(writer);
            }
        });
        NUMBERED.register(recorder, ONE);
        assertEquals(1L, at(recorder, "m", "total"));
        assertEquals(4, caught.size());
    }
}
