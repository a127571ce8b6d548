package dev.mvx.metrics.scenarios;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Compares what a step gave with what the scenario expects. */
final class Expectations {
    private Expectations() {}

    static void compare(Call call, Map<String, Object> got) {
        Object expect = Json.get(call.step, "expect");
        Object status = got.get("status");
        boolean silent = Json.get(expect, "status") == null && Json.get(expect, "statuses") == null;
        if (silent && status != null && !status.equals("OK")) {
            call.fail(differs("status", "OK", status, "the error is " + Json.show(got.get("error"))));
        }
        for (String key : Json.keys(expect)) {
            Object expected = Json.get(expect, key);
            Object actual = got.get(key.equals("matches") || key.equals("contains") ? "text" : key);
            String why = why(key, expected, actual);
            if (why != null) {
                call.fail(differs(key, expected, actual, why));
            }
        }
    }

    private static String differs(String what, Object expected, Object got, String why) {
        String reason = why.isEmpty() ? "" : " (" + why + ")";
        return what + ": expected " + Json.show(expected) + ", got " + Json.show(got) + reason;
    }

    /** Null where it is as expected; otherwise why not, which may need no words. */
    private static String why(String key, Object expected, Object got) {
        switch (key) {
            case "error":
                return errorDiffers(expected, got);
            case "stats":
                return statsMatch(expected, got) ? null : "";
            case "metrics":
                return rowsMatch(expected, got) ? null : "";
            case "matches":
                return got instanceof String && Pattern.compile((String) expected).matcher((String) got).find() ? null : "";
            case "contains":
                return Json.list(expected).stream()
                                .allMatch(part -> got instanceof String && ((String) got).contains((String) part))
                        ? null
                        : "";
            case "snapshot":
                if (!Json.same(expected, got)) {
                    return "";
                }
                return "$any".equals(expected) || Json.sameOrder(expected, got) ? null : "in another order";
            default:
                return Json.same(expected, got) ? null : "";
        }
    }

    static boolean statsMatch(Object expected, Object got) {
        return Json.keys(expected).stream().allMatch(key -> countMatches(Json.get(expected, key), Json.get(got, key)));
    }

    private static boolean countMatches(Object expected, Object got) {
        if (!(expected instanceof Map) || !(got instanceof Long)) {
            return Json.same(expected, got);
        }
        Object least = Json.get(expected, "at_least");
        Object most = Json.get(expected, "at_most");
        return (least == null || (Long) got >= (Long) least) && (most == null || (Long) got <= (Long) most);
    }

    private static String errorDiffers(Object expected, Object got) {
        boolean there = got instanceof Map;
        if (expected == Json.NULL) {
            return there ? "there is an error" : null;
        }
        if (!there) {
            return "there is no error";
        }
        for (String key : Json.keys(expected)) {
            String why = errorDiffers(key, Json.get(expected, key), got);
            if (why != null) {
                return why;
            }
        }
        return null;
    }

    private static String errorDiffers(String key, Object expected, Object got) {
        Object actual = Json.get(got, key);
        switch (key) {
            case "cause":
                String why = errorDiffers(expected, actual);
                return why == null ? null : "cause: " + why;
            case "details":
                return Json.keys(expected).stream()
                        .filter(detail -> !Json.same(Json.get(expected, detail), Json.get(actual, detail)))
                        .map(detail -> "details." + detail + " differs")
                        .findFirst()
                        .orElse(null);
            case "message_contains":
                boolean contains = Json.text(Json.get(got, "message"), "").contains((String) expected);
                return contains ? null : "the message does not contain it";
            default:
                return Json.same(expected, actual) ? null : key + " differs";
        }
    }

    /** Each key that is expected must be there with that value. */
    private static boolean rowsMatch(Object expected, Object got) {
        List<Object> left = Json.list(expected);
        List<Object> right = Json.list(got);
        if (left.size() != right.size()) {
            return false;
        }
        for (int i = 0; i < left.size(); i++) {
            for (String key : Json.keys(left.get(i))) {
                Object value = Json.get(left.get(i), key);
                Object actual = Json.get(right.get(i), key);
                if (key.equals("error") ? errorDiffers(value, actual) != null : !Json.same(value, actual)) {
                    return false;
                }
            }
        }
        return true;
    }
}
