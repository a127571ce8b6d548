package dev.mvx.metrics.scenarios;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What steps made and named. A freed thing stays, so that a step can use it again. */
final class Things {
    /** The kinds of things; each has names of its own. */
    enum Kind {
        RUNTIME,
        RECORDER,
        WAIT,
        SNAPSHOT,
        COMPLETION
    }

    /** A thing under its name, with the number that it had while it was live; -1 where it has none. */
    static final class Thing {
        final Object value;
        final long number;
        private boolean live = true;

        Thing(Object value, long number) {
            this.value = value;
            this.number = number;
        }
    }

    private record Name(Kind kind, String text) {}

    private final Map<Name, Thing> things = new HashMap<>();

    synchronized void put(Kind kind, String name, Object value, long number) {
        if (isLive(kind, name)) {
            throw new Broken("the name '" + name + "' is taken");
        }
        things.put(new Name(kind, name), new Thing(value, number));
    }

    synchronized Thing get(Kind kind, String name) {
        Thing found = things.get(new Name(kind, name));
        if (found == null) {
            throw new Broken("there is no '" + name + "'");
        }
        return found;
    }

    synchronized boolean isLive(Kind kind, String name) {
        Thing found = things.get(new Name(kind, name));
        return found != null && found.live;
    }

    synchronized void freed(Kind kind, String name) {
        Thing found = things.get(new Name(kind, name));
        if (found != null) {
            found.live = false;
        }
    }

    synchronized <T> List<T> live(Kind kind, Class<T> type) {
        List<T> found = new ArrayList<>();
        things.forEach((name, thing) -> {
            if (name.kind() == kind && thing.live) {
                found.add(type.cast(thing.value));
            }
        });
        return found;
    }
}
