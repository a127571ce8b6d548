package dev.mvx.metrics.scenarios;

import java.util.ArrayList;
import java.util.List;

/** Every callback of a scenario, in the order in which they began. */
final class Journal {
    private final List<String> entries = new ArrayList<>();

    synchronized void note(String entry) {
        entries.add(entry);
    }

    /** The entries that begin with any of the given words, whole words, in order. */
    synchronized List<Object> beginningWith(Object beginnings) {
        List<Object> found = new ArrayList<>();
        for (String entry : entries) {
            if (Json.list(beginnings).stream().anyMatch(words -> (entry + " ").startsWith(words + " "))) {
                found.add(entry);
            }
        }
        return found;
    }
}
