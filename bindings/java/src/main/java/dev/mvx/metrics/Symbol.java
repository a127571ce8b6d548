package dev.mvx.metrics;

import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An interned text that repeats, such as an outcome or a route; for fields of kind {@link FieldKind#SYMBOL}. Interned
 * texts live as long as the process, so don't intern what has no bounds.
 *
 * @param number its number, the same in every language of the process; 0, and what is no symbol, stands for the empty text
 */
public record Symbol(int number) {
    /** How many texts are kept here, so that finding their symbol costs no call. */
    private static final int MOST_KEPT = 16_384;

    private static final ConcurrentHashMap<String, Symbol> KEPT = new ConcurrentHashMap<>();
    private static final AtomicReference<String[]> TEXTS = new AtomicReference<>(new String[0]);

    /**
     * The symbol of a text: the same text gives the same number. Any thread.
     *
     * @param text at most 4,096 bytes in UTF-8
     * @return its symbol
     * @throws MetricsException INVALID_ARGUMENT, or LIMIT_REACHED (there are 1,048,576 texts)
     */
    public static Symbol intern(String text) {
        Symbol known = KEPT.get(Objects.requireNonNull(text, "text"));
        if (known != null) {
            return known;
        }
        Symbol made = new Symbol(Native.intern(Native.utf8(text)));
        if (KEPT.size() < MOST_KEPT) {
            KEPT.putIfAbsent(text, made);
        }
        return made;
    }

    /** The text in a field; 0 and what is no symbol stand for the empty text. Kept, so that metrics don't call for each. */
    static String textOf(int number) {
        String[] texts = TEXTS.get();
        String text = number >= 0 && number < texts.length ? texts[number] : null;
        if (text != null || number == 0) {
            return text == null ? "" : text;
        }
        try {
            text = new Symbol(number).text();
        } catch (MetricsException none) {
            return "";
        }
        if (number < MOST_KEPT) {
            keepText(number, text);
        }
        return text;
    }

    private static void keepText(int number, String text) {
        TEXTS.updateAndGet(texts -> {
            String[] grown =
                    Arrays.copyOf(texts, Math.max(texts.length, Integer.highestOneBit(Math.max(64, number)) * 2));
            grown[number] = text;
            return grown;
        });
    }

    /**
     * The text.
     *
     * @return the text
     * @throws MetricsException INVALID_ARGUMENT where the number is no symbol's
     */
    public String text() {
        return Native.text(Native.symbolText(number));
    }
}
