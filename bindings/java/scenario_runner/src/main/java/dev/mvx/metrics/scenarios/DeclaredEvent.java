package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Event;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.Field;
import dev.mvx.metrics.FieldKind;
import java.nio.ByteBuffer;

/** An event that a scenario declares, and how it shows what it holds. */
final class DeclaredEvent {
    final String key;
    final String name;
    final EventType type;

    DeclaredEvent(Scenario scenario, String key, Object declaration) {
        this.key = key;
        this.name = scenario.path.replace('/', '.') + "." + key;
        EventType.Builder builder = builder(name, Json.get(declaration, "fields"));
        if (Json.isTrue(declaration, "timed")) {
            builder.timed();
        }
        if (Json.isTrue(declaration, "release")) {
            builder.release(payload -> scenario.journal.note("release " + show(payload)));
        }
        type = builder.declare();
    }

    /** Fields lie one after the other, as the binding lays them out. */
    static EventType.Builder builder(String name, Object fields) {
        EventType.Builder builder = EventType.builder(name);
        for (Object field : Json.list(fields)) {
            FieldKind kind = Given.constant(FieldKind.class, Json.get(field, "kind"));
            String called = Given.text(Json.get(field, "name"));
            if (kind == FieldKind.TEXT) {
                builder.text(called, (int) Given.integer(field, "size", 0));
            } else {
                builder.field(called, kind);
            }
        }
        return builder;
    }

    /** The event as the journal has it: with the value of its first field. */
    String show(ByteBuffer payload) {
        if (type.fields().isEmpty()) {
            return key;
        }
        Object value = Payloads.read(type.fields().get(0), payload);
        return key + "(" + (value instanceof String ? value : Json.show(value)) + ")";
    }

    /** The value of a field, read in both ways that the binding offers; they must agree. */
    Object read(String field, Event event) {
        Field known = type.fields().stream()
                .filter(one -> one.name().equals(field))
                .findFirst()
                .orElseThrow(() -> new Broken(key + " has no field '" + field + "'"));
        Object value = Payloads.read(known, event.payload());
        if (value != Json.NULL && !value.equals(Payloads.shown(event.get(field)))) {
            throw new Broken("field '" + field + "' of the event's bytes is " + value + ", get() gives " + event.get(field));
        }
        return value;
    }
}
