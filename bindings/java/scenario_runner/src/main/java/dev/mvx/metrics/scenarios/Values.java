package dev.mvx.metrics.scenarios;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values of the scenarios and of the binding, each as the other needs them. */
final class Values {
    private Values() {}

    /** What JSON makes of a value of a snapshot. */
    static Object ofHost(Object value) {
        if (value == null) {
            return Json.NULL;
        }
        if (value instanceof Double && !Double.isFinite((Double) value)) {
            return value.toString(); // NaN, Infinity, -Infinity
        }
        if (value instanceof List) {
            List<Object> list = new ArrayList<>();
            Json.list(value).forEach(item -> list.add(ofHost(item)));
            return list;
        }
        if (value instanceof Map) {
            Map<String, Object> map = new LinkedHashMap<>();
            Json.keys(value).forEach(key -> map.put(key, ofHost(Json.get(value, key))));
            return map;
        }
        return value;
    }

    /** What a metric writes for a value of a scenario. */
    static Object toHost(Object value) {
        if (value == Json.NULL) {
            return null;
        }
        if (Json.get(value, "$u64") != null) {
            return new BigInteger((String) Json.get(value, "$u64"));
        }
        if (Json.get(value, "$f64") != null) {
            return real(Json.get(value, "$f64"));
        }
        if (value instanceof List) {
            List<Object> list = new ArrayList<>();
            Json.list(value).forEach(item -> list.add(toHost(item)));
            return list;
        }
        if (value instanceof Map) {
            Map<String, Object> map = new LinkedHashMap<>();
            Json.keys(value).forEach(key -> map.put(key, toHost(Json.get(value, key))));
            return map;
        }
        return value;
    }

    /** The bits of a whole number; a text serves what a JSON library does not hold. */
    static long whole(Object value) {
        if (value instanceof Long) {
            return (Long) value;
        }
        if (value instanceof BigInteger || value instanceof String) {
            BigInteger big = new BigInteger(value.toString());
            if (big.bitLength() <= Long.SIZE) {
                return big.longValue();
            }
        }
        throw new Broken("this is no whole number: " + Json.show(value));
    }

    static double real(Object value) {
        if (value instanceof Number) {
            return ((Number) value).doubleValue();
        }
        if (!(value instanceof String)) {
            throw new Broken("this is no number: " + Json.show(value));
        }
        return Double.parseDouble((String) value);
    }
}
