package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Accepted;
import dev.mvx.metrics.EventBuffer;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.Field;
import dev.mvx.metrics.FieldKind;
import dev.mvx.metrics.MetricsException;
import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.Status;
import dev.mvx.metrics.Symbol;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Steps on events, event types and interned texts. */
final class EventSteps {
    private EventSteps() {}

    static void register() {
        Operations.add("recorder_register_event", "recorder event payload payloads times", "statuses",
                EventSteps::registerEvent);
        Operations.add("recorder_register_events", "recorder event payloads null_out", "accepted",
                EventSteps::registerEvents);
        Operations.add("event_type_declare", "event name fields natural flags like options struct_size null_out",
                "error same", EventSteps::declare);
        Operations.add("event_type_name", "event null_out", Operations.TEXT, EventSteps::name);
        Operations.add("intern", "text times like null_out", "statuses same " + Operations.TEXT, EventSteps::intern);
    }

    // ---- event types ----

    /** The event type that a step names, or that of a bare number; for one of no type there is no object to pass. */
    private static EventType typeOf(Call call, Object reference) {
        if (Json.get(reference, "$number") == null) {
            return declared(call, reference).type;
        }
        try {
            return numbered(reference);
        } catch (MetricsException none) {
            throw new Unsayable("an event of no type");
        }
    }

    private static EventType numbered(Object reference) {
        return EventType.of((int) Given.integer(reference, "$number", 0));
    }

    private static DeclaredEvent declared(Call call, Object reference) {
        DeclaredEvent known = call.scenario.events.get(reference);
        if (known == null) {
            throw new Broken("unknown event " + Json.show(reference));
        }
        return known;
    }

    static List<EventType> typesOf(Call call, Object references) {
        List<EventType> types = new ArrayList<>();
        Json.list(references).forEach(reference -> types.add(typeOf(call, reference)));
        return types;
    }

    private static Map<String, Object> declare(Call call) {
        if (Json.get(call.get("options"), "$null") != null) {
            throw new Unsayable("NULL in place of options");
        }
        String name = call.get("event") == null ? call.text("name") : declared(call, call.get("event")).name;
        Supplier<EventType> declaration = declaration(call, name);
        return Results.of(declaration, (got, type) -> {
            if (call.get("like") != null) {
                got.put("same", type.equals(declared(call, call.get("like")).type));
            }
        });
    }

    private static Supplier<EventType> declaration(Call call, String name) {
        long flags = call.integer("flags", 0);
        if (call.isTrue("natural") && (flags == 0 || flags == 1)) {
            EventType.Builder builder = DeclaredEvent.builder(name, call.get("fields"));
            return flags == 0 ? builder::declare : () -> builder.timed().declare();
        }
        if (flags == 1) {
            EventType.Builder builder = DeclaredEvent.builder(name, call.get("fields"));
            List<Field> wanted = List.of(fields(call));
            return () -> {
                EventType made = builder.timed().declare();
                if (!made.fields().equals(wanted)) {
                    throw new Broken("a timed event type can't have offsets of its own");
                }
                return made;
            };
        }
        if (flags != 0) {
            throw new Unsayable("unknown flags of an event type");
        }
        Field[] fields = fields(call);
        return () -> EventType.declare(name, fields);
    }

    private static Field[] fields(Call call) {
        return Json.list(call.get("fields")).stream().map(EventSteps::field).toArray(Field[]::new);
    }

    private static Field field(Object field) {
        String name = Given.text(Json.get(field, "name"));
        FieldKind kind = Given.constant(FieldKind.class, Json.get(field, "kind"));
        int offset = (int) Given.integer(field, "offset", 0);
        return Json.get(field, "size") == null
                ? new Field(name, kind, offset)
                : new Field(name, kind, offset, (int) Given.integer(field, "size", 0));
    }

    private static Map<String, Object> name(Call call) {
        return Results.plain(Results.of(
                () -> Json.get(call.get("event"), "$number") == null
                        ? typeOf(call, call.get("event")).name()
                        : numbered(call.get("event")).name(),
                (got, name) -> got.put("text", name)));
    }

    // ---- recording ----

    private static Map<String, Object> registerEvent(Call call) {
        EventType type = typeOf(call, call.get("event"));
        List<Object> payloads = new ArrayList<>();
        if (call.get("payloads") == null) {
            payloads.add(call.get("payload"));
        } else {
            payloads.addAll(Json.list(call.get("payloads")));
        }
        long times = call.integer("times", 1);
        Map<String, Object> statuses = Results.nothing();
        for (Object payload : payloads) {
            call.onRecorder(recorder -> {
                Supplier<Status> recording = recording(recorder, type, payload);
                for (long i = 0; i < times; i++) {
                    Results.count(statuses, recording.get().name(), 1);
                }
                return null;
            });
        }
        return Results.ofMany(statuses);
    }

    /** By way of a buffer where the payload has fields, otherwise as bytes or as nothing at all. */
    private static Supplier<Status> recording(Recorder recorder, EventType type, Object payload) {
        if (Payloads.hasFields(payload)) {
            EventBuffer buffer = type.buffer(recorder);
            Payloads.put(buffer, payload);
            return buffer::tryRegister;
        }
        byte[] bytes = Payloads.bytes(payload);
        if (!Json.keys(payload).isEmpty()) {
            return () -> recorder.tryRegisterEvent(type, bytes);
        }
        Payloads.checkFields(type, payload);
        return () -> recorder.tryRegisterEvent(type);
    }

    private static Map<String, Object> registerEvents(Call call) {
        EventType type = typeOf(call, call.get("event"));
        List<Object> payloads = Json.list(call.get("payloads"));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int length = type.length();
        for (Object payload : payloads) {
            byte[] bytes = Payloads.hasFields(payload) ? Payloads.pack(type, payload) : Payloads.bytes(payload);
            length = bytes.length;
            all.writeBytes(bytes);
        }
        int lengthEach = length;
        return call.onRecorder(recorder -> {
            try {
                Accepted accepted =
                        recorder.registerEvents(type, all.toByteArray(), lengthEach, payloads.size());
                return Json.map("status", accepted.status().name(), "accepted", (long) accepted.count());
            } catch (MetricsException refused) {
                return Json.map("status", refused.status().name(), "accepted", 0L);
            }
        });
    }

    // ---- interned texts ----

    private static Map<String, Object> intern(Call call) {
        String text = call.text("text");
        long times = call.integer("times", 0);
        Map<String, Object> statuses = Results.nothing();
        if (times > 0) {
            for (long i = 0; i < times; i++) {
                intern(text + i, statuses);
            }
            return Results.ofMany(statuses);
        }
        Symbol symbol = intern(text, statuses);
        Map<String, Object> got = Results.ofMany(statuses);
        if (symbol != null) {
            got.put("text", symbol.text());
            if (call.get("like") != null) {
                got.put("same", symbol.equals(Symbol.intern(call.text("like"))));
            }
        }
        return got;
    }

    private static Symbol intern(String text, Map<String, Object> statuses) {
        Symbol symbol = null;
        Status status = Status.OK;
        try {
            symbol = Symbol.intern(text);
        } catch (MetricsException refused) {
            status = refused.status();
        }
        Results.count(statuses, status.name(), 1);
        return symbol;
    }
}
