package dev.mvx.metrics;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Says more about a component of a record that {@link EventOf} declares as an event. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface EventField {
    /**
     * What the field is called.
     *
     * @return the name; empty: that of the component, in snake case
     */
    String name() default "";

    /**
     * Of a String: it is a text of at most so many bytes of UTF-8, which travels with the event and is not interned.
     *
     * @return the bytes; 0: it is a symbol
     */
    int text() default 0;

    /**
     * Of a whole number: it has no sign.
     *
     * @return whether it has none
     */
    boolean unsigned() default false;
}
