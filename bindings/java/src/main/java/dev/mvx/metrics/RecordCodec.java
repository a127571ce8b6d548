package dev.mvx.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Copies records into payloads and back. The handles are put together once, so that an event costs one call without
 * reflection or boxing.
 */
final class RecordCodec {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
    private static final Map<Class<?>, FieldKind> SIGNED = Map.of(
            byte.class, FieldKind.I8, short.class, FieldKind.I16, int.class, FieldKind.I32, long.class, FieldKind.I64,
            float.class, FieldKind.F32, double.class, FieldKind.F64, boolean.class, FieldKind.BOOL,
            Symbol.class, FieldKind.SYMBOL, String.class, FieldKind.SYMBOL);
    private static final Map<FieldKind, FieldKind> UNSIGNED = Map.of(
            FieldKind.I8, FieldKind.U8, FieldKind.I16, FieldKind.U16, FieldKind.I32, FieldKind.U32,
            FieldKind.I64, FieldKind.U64);

    final List<Field> fields = new ArrayList<>();
    /** Whether {@link #first} and {@link #second} are the whole payload. */
    final boolean small;
    private final Writer writer;
    private final MethodHandle reader;

    RecordCodec(Class<?> type) {
        if (!type.isRecord()) {
            throw new IllegalArgumentException("an event must be a record, which " + type.getName() + " is not");
        }
        RecordComponent[] components = type.getRecordComponents();
        MethodHandle write = MethodHandles.empty(
                MethodType.methodType(void.class, type, ByteBuffer.class, int.class));
        MethodHandle read = constructor(type, components);
        List<MethodHandle> accessors = new ArrayList<>();
        int end = 0;
        for (int i = 0; i < components.length; i++) {
            RecordComponent component = components[i];
            String name = type.getSimpleName() + "." + component.getName();
            Field field = field(name, component, end);
            fields.add(field);
            accessors.add(accessor(component));
            end = field.offset() + field.size();
            write = MethodHandles.foldArguments(write, MethodHandles.filterArguments(
                    RecordFields.writer(name, component.getType(), field), 0, accessors.get(i)));
            read = MethodHandles.collectArguments(read, 2 * i, RecordFields.reader(component.getType(), field));
        }
        if (end > Scratch.MOST_BYTES) {
            throw new IllegalArgumentException(type.getName() + " has " + end + " bytes; an event has at most 4,096");
        }
        write = zeroed(write, end + 7 & ~7);
        small = end <= Words.MOST_BYTES && fields.stream().noneMatch(field -> field.kind() == FieldKind.TEXT);
        MethodType wordType = MethodType.methodType(long.class, Object.class);
        writer = writer(List.of(
                write.asType(MethodType.methodType(void.class, Object.class, ByteBuffer.class, int.class)),
                RecordWords.word(type, small ? fields : List.of(), accessors, 0).asType(wordType),
                RecordWords.word(type, small ? fields : List.of(), accessors, 1).asType(wordType)));
        reader = shareArguments(read, components.length)
                .asType(MethodType.methodType(Object.class, ByteBuffer.class, int.class));
    }

    /** What an earlier event left between the fields must not travel along: words with gaps become zero first. */
    private MethodHandle zeroed(MethodHandle write, int length) {
        MethodHandle all = write;
        int from = 0;
        for (int word = 0; word <= length; word += Long.BYTES) {
            if (word < length && hasGap(word)) {
                continue;
            }
            if (from < word) {
                all = MethodHandles.foldArguments(all, MethodHandles.dropArguments(
                        RecordFields.zeros(from, word), 0, write.type().parameterType(0)));
            }
            from = word + Long.BYTES;
        }
        return all;
    }

    private boolean hasGap(int word) {
        int covered = 0;
        for (Field field : fields) {
            int from = Math.max(word, field.offset());
            int to = Math.min(word + Long.BYTES, field.offset() + field.size());
            covered += field.kind() == FieldKind.TEXT ? 0 : Math.max(0, to - from);
        }
        return covered < Long.BYTES;
    }

    /** One kind of record. */
    interface Writer {
        void write(Object event, ByteBuffer to, int base) throws Throwable;

        long first(Object event) throws Throwable;

        long second(Object event) throws Throwable;
    }

    private static Writer writer(List<MethodHandle> handles) {
        try (InputStream template = RecordWriter.class.getResourceAsStream("RecordWriter.class")) {
            MethodHandles.Lookup made = LOOKUP.defineHiddenClassWithClassData(template.readAllBytes(), handles, true);
            return (Writer) made.findConstructor(made.lookupClass(), MethodType.methodType(void.class)).invoke();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static Field field(String name, RecordComponent component, int end) {
        EventField said = component.getAnnotation(EventField.class);
        Class<?> type = component.getType();
        FieldKind kind = type.isEnum() ? FieldKind.SYMBOL : SIGNED.get(type);
        if (kind == null) {
            throw new IllegalArgumentException(name + " is of type " + type.getName()
                    + "; an event is made of numbers, boolean, String, Symbol and enums");
        }
        int size = kind.size;
        if (said != null && said.text() != 0) {
            if (type != String.class || said.text() < 0) {
                throw new IllegalArgumentException(name + " can't be a text of " + said.text() + " bytes");
            }
            kind = FieldKind.TEXT;
            size = said.text();
        }
        if (said != null && said.unsigned()) {
            kind = UNSIGNED.get(kind);
            if (kind == null) {
                throw new IllegalArgumentException(name + " is no whole number, so it can't be unsigned");
            }
        }
        String called = said == null || said.name().isEmpty() ? snakeCase(component.getName()) : said.name();
        return new Field(called, kind, end + kind.alignment() - 1 & -kind.alignment(), size);
    }

    private static MethodHandle accessor(RecordComponent component) {
        try {
            component.getAccessor().setAccessible(true);
            return LOOKUP.unreflect(component.getAccessor());
        } catch (ReflectiveOperationException | RuntimeException failure) {
            throw new IllegalArgumentException(component + " can't be read; its package must be open", failure);
        }
    }

    private static MethodHandle constructor(Class<?> type, RecordComponent[] components) {
        try {
            Class<?>[] types = new Class<?>[components.length];
            for (int i = 0; i < types.length; i++) {
                types[i] = components[i].getType();
            }
            Constructor<?> canonical = type.getDeclaredConstructor(types);
            canonical.setAccessible(true);
            return LOOKUP.unreflectConstructor(canonical);
        } catch (ReflectiveOperationException | RuntimeException failure) {
            throw new IllegalArgumentException(type + " can't be made; its package must be open", failure);
        }
    }

    /** (buffer, base, buffer, base, ...) becomes (buffer, base). */
    private static MethodHandle shareArguments(MethodHandle each, int count) {
        int[] order = new int[2 * count];
        for (int i = 0; i < order.length; i++) {
            order[i] = i % 2;
        }
        MethodType type = MethodType.methodType(each.type().returnType(), ByteBuffer.class, int.class);
        return MethodHandles.permuteArguments(each, type, order);
    }

    /** Makes {@code status_code} of statusCode, and {@code http_status} of HTTPStatus. */
    static String snakeCase(String name) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < name.length(); i++) {
            char letter = name.charAt(i);
            boolean begins = Character.isUpperCase(letter) && i > 0
                    && (!Character.isUpperCase(name.charAt(i - 1))
                            || i + 1 < name.length() && Character.isLowerCase(name.charAt(i + 1)));
            if (begins) {
                out.append('_');
            }
            out.append(Character.toLowerCase(letter));
        }
        return out.toString();
    }

    void write(Object event, ByteBuffer to, int base) {
        try {
            writer.write(Objects.requireNonNull(event, "event"), to, base);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw accessorFailed(failure);
        }
    }

    /** The first 8 bytes of a small payload. */
    long first(Object event) {
        try {
            return writer.first(Objects.requireNonNull(event, "event"));
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw accessorFailed(failure);
        }
    }

    /** The next 8 bytes, or 0. */
    long second(Object event) {
        try {
            return writer.second(event);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw accessorFailed(failure);
        }
    }

    private static IllegalArgumentException accessorFailed(Throwable failure) {
        return new IllegalArgumentException("an accessor of the record failed", failure);
    }

    Object read(ByteBuffer from, int base) {
        try {
            return reader.invokeExact(from, base);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new IllegalArgumentException("the constructor of the record failed", failure);
        }
    }
}
