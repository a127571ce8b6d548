package dev.mvx.metrics.scenarios;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds objects that stand for a value, such as {"$hex": "ff"}, and are not written as the shared page says. */
final class Written {
    private static final Set<Set<String>> FORMS = Set.of(
            Set.of("$repeat", "times"), Set.of("$hex"), Set.of("$null"), Set.of("$zeros"), Set.of("$number"),
            Set.of("$made_up"), Set.of("$runtime"), Set.of("$recorder"), Set.of("$wait"), Set.of("$u64"), Set.of("$f64"));

    private Written() {}

    /** The objects within a value that are none of the forms. */
    static List<Object> wrongly(Object value) {
        List<Object> found = new ArrayList<>();
        collect(value, found);
        return found;
    }

    private static void collect(Object value, List<Object> found) {
        if (isForm(value) && !FORMS.contains(Json.keys(value))) {
            found.add(value);
        }
        if (value instanceof Map) {
            ((Map<?, ?>) value).forEach((key, inner) -> {
                // What is expected is compared as it is; steps within are looked at on their own.
                if (!Set.of("expect", "steps", "step").contains(key)) {
                    collect(inner, found);
                }
            });
        }
        Json.list(value).forEach(item -> collect(item, found));
    }

    private static boolean isForm(Object value) {
        return Json.keys(value).stream().anyMatch(key -> key.startsWith("$"));
    }
}
