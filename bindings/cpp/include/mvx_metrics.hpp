#ifndef MVX_METRICS_HPP
#define MVX_METRICS_HPP

/*
 * mvx_metrics for C++17: one header over the library's C interface (mvx_metrics.h), without a state of its own.
 *
 *     struct SaveAttempt {
 *         mvx::Symbol outcome;
 *         double seconds;
 *     };
 *     MVX_EVENT(SaveAttempt, "document_storage.save.attempt", outcome, seconds);
 *
 *     auto recorder = mvx::Recorder::create().value();
 *     recorder.start().value().get().value();
 *     auto counter = mvx::NativeMetric::counter("save_attempts", {mvx::type_of<SaveAttempt>()});
 *     recorder.register_native_metric(counter).value();
 *     mvx::check(recorder.register_event(SaveAttempt{mvx::intern("success").value(), 0.012}));
 *     auto snapshot = recorder.snapshot().value();
 *     std::puts(snapshot.to_json().value().c_str());
 *
 * ERRORS. What can fail returns a Result<T> (or a Status, where no more is known): ask it, or call value(), which
 * throws mvx::Exception. With -fno-exceptions there is no value(), and nothing else changes. Both carry an Error:
 * status, reason, message, details as JSON, cause. The reasons are listed in mvx_metrics.h. Objects made with and
 * without exceptions are different types, so that one program may hold both kinds of source files.
 *
 * OWNERSHIP. Runtime, Recorder, Wait, Completion and Snapshot are handles that are moved, not copied; their
 * destructors let go of one reference and never block. clone() makes a further one. A handle is a number that all
 * languages of the process understand: handle() shows it, from_handle() makes a reference of one's own from it.
 * Texts and payloads that a callback is shown are there while it runs; values are there as long as their snapshot.
 *
 * THREADS. The library may be called from any thread. A C++ object may be used by many threads at once, except that
 * none may move, assign or destroy it meanwhile.
 *
 * CALLBACKS run on threads of the library unless their text says otherwise. What they throw does not leave them: it
 * is the failure of a metric, hook or snapshot, and is swallowed where nobody could be told (logs, completions,
 * thread hooks, release). What they own is destroyed exactly once, after the last call, also where the registration
 * fails. A blocking call that would wait for itself gets Status::would_deadlock; waiting for a std::future in a
 * callback is not found out.
 *
 * TIMES are std::chrono durations. Where a call waits, mvx::forever, or any that is negative, means no limit; options
 * of a recorder or runtime must be more than 0.
 */

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/* The C header has a function and a struct of one name, which hosts that build with -Wshadow would be warned of. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include "mvx_metrics.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define MVX_HAS_EXCEPTIONS 1
#include <exception>
#include <stdexcept>
#else
#define MVX_HAS_EXCEPTIONS 0
#endif

static_assert(MVX_ABI_VERSION == 1, "this header is for version 1 of the library's interface");

namespace mvx {
#if MVX_HAS_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

/* ---- Constants, in the words of the library ---- */

/** What a call returned. Later versions of the library may know more: treat an unknown one as a failure. */
enum class [[nodiscard]] Status : std::int32_t {
    ok = MVX_OK,
    invalid_argument = MVX_INVALID_ARGUMENT,
    invalid_handle = MVX_INVALID_HANDLE,
    invalid_state = MVX_INVALID_STATE,
    queue_overflow = MVX_QUEUE_OVERFLOW,
    already_exists = MVX_ALREADY_EXISTS,
    not_found = MVX_NOT_FOUND,
    hook_failed = MVX_HOOK_FAILED,
    metric_failed = MVX_METRIC_FAILED,
    startup_failed = MVX_STARTUP_FAILED,
    stop_failed = MVX_STOP_FAILED,
    shutdown_failed = MVX_SHUTDOWN_FAILED,
    limit_reached = MVX_LIMIT_REACHED,
    cancelled = MVX_CANCELLED,
    timeout = MVX_TIMEOUT,
    not_ready = MVX_NOT_READY,
    would_deadlock = MVX_WOULD_DEADLOCK,
    forked = MVX_FORKED,
    unsupported = MVX_UNSUPPORTED,
    unexpected = MVX_UNEXPECTED,
};

/** The state of a runtime. */
enum class RuntimeState : std::int32_t {
    virgin = MVX_RUNTIME_VIRGIN,
    starting = MVX_RUNTIME_STARTING,
    running = MVX_RUNTIME_RUNNING,
    stopping = MVX_RUNTIME_STOPPING,
    closed = MVX_RUNTIME_CLOSED,
    failure = MVX_RUNTIME_FAILURE,
};

/** The state of a recorder. */
enum class RecorderState : std::int32_t {
    virgin = MVX_RECORDER_VIRGIN,
    starting = MVX_RECORDER_STARTING,
    running = MVX_RECORDER_RUNNING,
    stopping = MVX_RECORDER_STOPPING,
    stopped = MVX_RECORDER_STOPPED,
    failure = MVX_RECORDER_FAILURE,
    cancelled = MVX_RECORDER_CANCELLED,
};

/** What happens to an event at the pending limit. */
enum class OverflowPolicy : std::uint32_t {
    drop = MVX_OVERFLOW_DROP,
    raise_error = MVX_OVERFLOW_RAISE_ERROR,
    block = MVX_OVERFLOW_BLOCK,
};

/** What becomes of a recorder one of whose metrics fails. */
enum class MetricErrorPolicy : std::uint32_t {
    fail_recorder = MVX_METRIC_ERROR_FAIL_RECORDER,
    quarantine_metric = MVX_METRIC_ERROR_QUARANTINE_METRIC,
};

/** Whether events that only native counters want may be counted in memory of the recording thread. */
enum class Folding : std::uint32_t { on = MVX_FOLDING_ON, off = MVX_FOLDING_OFF };

/** Whether a snapshot waits for the events that were accepted before it. */
enum class SnapshotMode : std::uint32_t { consistent = MVX_SNAPSHOT_CONSISTENT, relaxed = MVX_SNAPSHOT_RELAXED };

/** What a wait is for. */
enum class Operation : std::int32_t {
    start = MVX_OPERATION_START,
    stop = MVX_OPERATION_STOP,
    flush = MVX_OPERATION_FLUSH,
    shutdown = MVX_OPERATION_SHUTDOWN,
};

/** The kind of a field of an event. */
enum class FieldKind : std::uint32_t {
    i8 = MVX_FIELD_I8,
    i16 = MVX_FIELD_I16,
    i32 = MVX_FIELD_I32,
    i64 = MVX_FIELD_I64,
    u8 = MVX_FIELD_U8,
    u16 = MVX_FIELD_U16,
    u32 = MVX_FIELD_U32,
    u64 = MVX_FIELD_U64,
    f32 = MVX_FIELD_F32,
    f64 = MVX_FIELD_F64,
    boolean = MVX_FIELD_BOOL,
    symbol = MVX_FIELD_SYMBOL,
    text = MVX_FIELD_TEXT,
};

/** The kind of a metric; `vtable` is one of the host, in whatever language. */
enum class MetricKind : std::uint32_t {
    vtable = MVX_METRIC_VTABLE,
    counter = MVX_METRIC_COUNTER,
    up_down_counter = MVX_METRIC_UP_DOWN_COUNTER,
    gauge = MVX_METRIC_GAUGE,
    histogram = MVX_METRIC_HISTOGRAM,
    exponential_histogram = MVX_METRIC_EXPONENTIAL_HISTOGRAM,
    quantile_sketch = MVX_METRIC_QUANTILE_SKETCH,
    distinct_count = MVX_METRIC_DISTINCT_COUNT,
};

/** Whether a metric gets events, or failed under MetricErrorPolicy::quarantine_metric. */
enum class MetricState : std::uint32_t { active = MVX_METRIC_ACTIVE, quarantined = MVX_METRIC_QUARANTINED };

/** The kind of a value in a snapshot. */
enum class ValueKind : std::int32_t {
    null = MVX_VALUE_NULL,
    boolean = MVX_VALUE_BOOL,
    i64 = MVX_VALUE_I64,
    u64 = MVX_VALUE_U64,
    f64 = MVX_VALUE_F64,
    str = MVX_VALUE_STR,
    list = MVX_VALUE_LIST,
    map = MVX_VALUE_MAP,
};

/** The comparison of a filter. */
enum class FilterOp : std::uint32_t {
    eq = MVX_FILTER_EQ,
    ne = MVX_FILTER_NE,
    lt = MVX_FILTER_LT,
    le = MVX_FILTER_LE,
    gt = MVX_FILTER_GT,
    ge = MVX_FILTER_GE,
};

/** What is logged. */
enum class LogPolicy : std::uint32_t {
    silent = MVX_LOG_POLICY_SILENT,
    normal = MVX_LOG_POLICY_NORMAL,
    inspection = MVX_LOG_POLICY_INSPECTION,
};

/** How severe a log record is. */
enum class LogLevel : std::int32_t {
    error = MVX_LOG_ERROR,
    warn = MVX_LOG_WARN,
    info = MVX_LOG_INFO,
    debug = MVX_LOG_DEBUG,
    trace = MVX_LOG_TRACE,
};

using Nanoseconds = std::chrono::nanoseconds;

/** No limit to a wait. */
inline constexpr Nanoseconds forever{-1};

/** The name of a status, such as "INVALID_STATE"; "UNKNOWN" for a number that is none. A static text. */
inline const char *to_string(Status status) noexcept
{
    return mvx_status_name(static_cast<mvx_status>(status)) + sizeof "MVX_" - 1;
}

namespace detail {

inline mvx_str raw(std::string_view text) noexcept { return mvx_str{text.data(), text.size()}; }
inline std::string_view view(mvx_str text) noexcept { return {text.data, text.len}; }
inline std::int64_t raw(Nanoseconds time) noexcept { return time.count() < 0 ? -1 : time.count(); }

/* Takes over a text of the library. */
inline std::string take(mvx_text *text)
{
    std::string copy(view(mvx_text_str(text)));
    mvx_text_free(text);
    return copy;
}

} // namespace detail

/* ---- Errors ---- */

/** Why something failed: a value of its own, which may be copied and kept. */
class Error {
public:
    Error(Status status, std::string reason, std::string message, std::string details_json = "{}")
        : status_(status), reason_(std::move(reason)), message_(std::move(message)),
          details_json_(std::move(details_json))
    {
    }

    /** The error of a call that gives a status only; the status' name is the reason then. */
    explicit Error(Status status)
        : Error(status, to_string(status), std::string("the call returned ") + to_string(status))
    {
    }

    /** A copy of an error of the library, which must not be NULL and stays its owner's. */
    explicit Error(const mvx_error *error)
        : Error(static_cast<Status>(mvx_error_status(error)), std::string(detail::view(mvx_error_reason(error))),
                std::string(detail::view(mvx_error_message(error))),
                std::string(detail::view(mvx_error_details_json(error))))
    {
        if (const mvx_error *cause = mvx_error_cause(error))
            cause_ = std::make_shared<const Error>(cause);
    }

    /** What the failed call returned. */
    Status status() const noexcept { return status_; }
    /** The stable reason, for programs, such as "INVALID_RECORDER_STATE". */
    const std::string &reason() const noexcept { return reason_; }
    /** What happened, for people. */
    const std::string &message() const noexcept { return message_; }
    /** Facts about it, as a JSON object; "{}" where there are none. */
    const std::string &details_json() const noexcept { return details_json_; }
    /** What led to it, as long as this error is there; nullptr where there is no cause. */
    const Error *cause() const noexcept { return cause_.get(); }

    /** Reason and message, in one line; the library's messages tell of their causes. */
    std::string to_string() const { return reason_ + ": " + message_; }

private:
    static const char *to_string(Status status) noexcept { return mvx::to_string(status); }

    Status status_;
    std::string reason_, message_, details_json_;
    std::shared_ptr<const Error> cause_;
};

#if MVX_HAS_EXCEPTIONS
/** An Error, thrown. what() is its reason and message. */
class Exception : public std::runtime_error {
public:
    explicit Exception(Error error)
        : std::runtime_error(error.to_string()), error_(std::make_shared<const Error>(std::move(error)))
    {
    }
    const Error &error() const noexcept { return *error_; }
    Status status() const noexcept { return error_->status(); }
    const std::string &reason() const noexcept { return error_->reason(); }

private:
    std::shared_ptr<const Error> error_; /* shared, so that copying an exception can't throw */
};
#endif

/** A T, or the Error in its place. The compiler warns where it is ignored. */
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }
    Status status() const noexcept { return ok() ? Status::ok : error().status(); }

    /** The value; only where ok(). */
    T &operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T &operator*() const & noexcept { return *std::get_if<0>(&state_); }
    T &&operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T *operator->() noexcept { return std::get_if<0>(&state_); }
    const T *operator->() const noexcept { return std::get_if<0>(&state_); }

    /** The error; only where not ok(). */
    const Error &error() const noexcept { return *std::get_if<1>(&state_); }

#if MVX_HAS_EXCEPTIONS
    /** The value; throws Exception where there is none. */
    T value() &&
    {
        if (!ok())
            throw Exception(error());
        return std::move(**this);
    }
    T &value() &
    {
        if (!ok())
            throw Exception(error());
        return **this;
    }
    const T &value() const &
    {
        if (!ok())
            throw Exception(error());
        return **this;
    }
#endif

private:
    std::variant<T, Error> state_;
};

/** Success, or an Error. */
template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::make_shared<const Error>(std::move(error))) {}

    bool ok() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return ok(); }
    Status status() const noexcept { return ok() ? Status::ok : error_->status(); }

    /** The error; only where not ok(). */
    const Error &error() const noexcept { return *error_; }

#if MVX_HAS_EXCEPTIONS
    /** Throws Exception where there is an error. */
    void value() const
    {
        if (!ok())
            throw Exception(error());
    }
#endif

private:
    std::shared_ptr<const Error> error_;
};

#if MVX_HAS_EXCEPTIONS
/** Throws Exception unless the status is Status::ok: the throwing form of calls that return a Status. */
inline void check(Status status)
{
    if (status != Status::ok)
        throw Exception(Error(status));
}
#endif

namespace detail {

/* The error of a call that failed, from its out-parameter. */
inline Error take_error(mvx_status status, mvx_error *error)
{
    if (error == nullptr)
        return Error(static_cast<Status>(status));
    Error copy(error);
    mvx_error_free(error);
    return copy;
}

inline Result<void> outcome(mvx_status status, mvx_error *error)
{
    if (status != MVX_OK)
        return take_error(status, error);
    return {};
}

/* A call that gives nothing but an error. */
template <class Call>
Result<void> run(Call &&call)
{
    mvx_error *error = nullptr;
    mvx_status status = call(&error);
    return outcome(status, error);
}

/* What the library keeps as its last error. */
inline Result<std::optional<Error>> kept_error(mvx_status status, mvx_error *error)
{
    if (status != MVX_OK)
        return Error(static_cast<Status>(status));
    if (error == nullptr)
        return std::optional<Error>();
    return std::optional<Error>(take_error(MVX_OK, error));
}

inline Error bad_argument(const char *argument, const char *message)
{
    return Error(Status::invalid_argument, "INVALID_ARGUMENT", std::string(argument) + ": " + message,
                 std::string("{\"argument\":\"") + argument + "\"}");
}

/* Runs a callback of the host; nothing that it throws gets any further. */
template <class Body>
void swallow(Body &&body) noexcept
{
#if MVX_HAS_EXCEPTIONS
    try {
        body();
    } catch (...) {
    }
#else
    body();
#endif
}

inline void say(mvx_callback_error *error, std::string_view message) noexcept
{
    if (!message.empty())
        mvx_callback_error_set(error, raw(message));
}

/* Runs a callback that can fail; what it throws is its failure. */
template <class Body>
std::int32_t guard(mvx_callback_error *error, std::int32_t failed, Body &&body) noexcept
{
#if MVX_HAS_EXCEPTIONS
    try {
        return body();
    } catch (const std::exception &thrown) {
        say(error, thrown.what());
    } catch (...) {
        say(error, "something that is no std::exception was thrown");
    }
    return failed;
#else
    (void)error, (void)failed;
    return body();
#endif
}

template <class T>
void drop(void *user_data)
{
    swallow([=] { delete static_cast<T *>(user_data); });
}

/* A handle: one reference, let go of once. */
template <class Raw, void (*Free)(Raw *)>
class Handle {
public:
    Handle() = default;
    explicit Handle(Raw *raw) noexcept : raw_(raw) {}
    Handle(Handle &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
    Handle &operator=(Handle &&other) noexcept
    {
        if (this != &other)
            reset(std::exchange(other.raw_, nullptr));
        return *this;
    }
    ~Handle() { reset(); }

    /** The C pointer, which stays this object's; NULL after a move. */
    Raw *raw() const noexcept { return raw_; }
    /** The number, for other languages of this process, which make a reference of their own from it. */
    std::uintptr_t handle() const noexcept { return reinterpret_cast<std::uintptr_t>(raw_); }
    /** Hands the reference over: the caller frees it from now on. */
    Raw *release() noexcept { return std::exchange(raw_, nullptr); }
    /** Lets go of the reference, and takes over another one. */
    void reset(Raw *raw = nullptr) noexcept
    {
        Raw *old = std::exchange(raw_, raw);
        if (old != nullptr)
            Free(old);
    }
    explicit operator bool() const noexcept { return raw_ != nullptr; }

protected:
    Raw *raw_ = nullptr;
};

} // namespace detail

/** A view of a handle that somebody else owns and keeps; it does not free it. */
template <class T>
class Borrowed {
public:
    explicit Borrowed(std::uintptr_t handle) noexcept : object_(T::adopt(handle)) {}
    Borrowed(const Borrowed &) = delete;
    Borrowed &operator=(const Borrowed &) = delete;
    ~Borrowed() { object_.release(); }
    T *operator->() noexcept { return &object_; }
    T &operator*() noexcept { return object_; }

private:
    T object_;
};

/* ---- Symbols and event types ---- */

/** The number of an interned text, which repeats: an outcome, a route. Good for the life of the process. */
struct Symbol {
    mvx_symbol number = 0;

    /** Its text, which is static; empty for a number that is no symbol. */
    std::string_view text() const noexcept
    {
        mvx_str text{nullptr, 0};
        return mvx_symbol_text(number, &text) == MVX_OK ? detail::view(text) : std::string_view();
    }
    friend bool operator==(Symbol left, Symbol right) noexcept { return left.number == right.number; }
    friend bool operator!=(Symbol left, Symbol right) noexcept { return left.number != right.number; }
};

/** Interns a text of at most 4,096 bytes. Do it once and keep the symbol; don't intern what has no bounds. */
inline Result<Symbol> intern(std::string_view text)
{
    Symbol symbol;
    mvx_status status = mvx_intern(detail::raw(text), &symbol.number);
    if (status != MVX_OK)
        return Error(static_cast<Status>(status));
    return symbol;
}

/** A field of an event type that is declared at run time. */
struct Field {
    std::string name;
    FieldKind kind;
    std::uint32_t offset = 0; /**< Where it begins, in bytes. */
    std::uint32_t size = 0;   /**< Its bytes; 0: those of its kind. A text needs it. */
};

/** What an event type is declared with at run time. For structs of one's own there is MVX_EVENT. */
struct EventTypeOptions {
    std::string name; /**< 1 to 255 bytes. */
    std::vector<Field> fields;
    bool timed = false; /**< Each event carries the time of its registration. */
    /** Called once for each accepted event, after its dispatch or when it is discarded; must not throw. */
    void (*release)(void *user_data, const void *payload, std::size_t len) = nullptr;
    /** Handed to `release`. An event type lives as long as the process, and so must this. */
    void *user_data = nullptr;
    std::uint32_t flags = 0; /**< Further MVX_EVENT_TYPE_... flags. */
};

/** The number of an event type, for the whole process; 0 is none. */
struct EventType {
    mvx_event_type number = 0;

    /** Declares an event type, or finds the one that was declared alike. */
    static Result<EventType> declare(const EventTypeOptions &options)
    {
        std::vector<mvx_field> fields;
        for (const Field &field : options.fields) {
            auto kind = static_cast<std::uint32_t>(field.kind);
            fields.push_back({detail::raw(field.name), kind, field.offset, field.size});
        }
        std::uint32_t flags = options.flags | (options.timed ? MVX_EVENT_TYPE_TIMED : 0u);
        return declare_raw(options.name, fields.data(), fields.size(), flags, options.release, options.user_data);
    }

    /** The same, from a table that is laid out already. */
    static Result<EventType> declare_raw(std::string_view name, const mvx_field *fields, std::size_t field_count,
                                         std::uint32_t flags, void (*release)(void *, const void *, std::size_t),
                                         void *user_data)
    {
        mvx_event_type_options raw{};
        raw.struct_size = sizeof raw;
        raw.name = detail::raw(name);
        raw.fields = fields;
        raw.field_count = field_count;
        raw.flags = flags;
        raw.release = release;
        raw.user_data = user_data;
        EventType type;
        mvx_error *error = nullptr;
        mvx_status status = mvx_event_type_declare(&raw, &type.number, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return type;
    }

    /** Its name, which is static. */
    Result<std::string_view> name() const
    {
        mvx_str text{nullptr, 0};
        mvx_status status = mvx_event_type_name(number, &text);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return detail::view(text);
    }
    friend bool operator==(EventType left, EventType right) noexcept { return left.number == right.number; }
    friend bool operator!=(EventType left, EventType right) noexcept { return left.number != right.number; }
};

namespace detail {

/* What MVX_EVENT leaves behind for a struct. */
struct Declaration {
    std::string_view name;
    const mvx_field *fields;
    std::size_t field_count;
    std::uint32_t flags;
    void (*release)(void *, const void *, std::size_t);
};

template <class T, class = void>
struct FieldOf {
    static_assert(sizeof(T) == 0, "a field must be an integer, float, double, bool, enum, mvx::Symbol or char[N]");
};
template <>
struct FieldOf<bool> {
    static constexpr std::uint32_t kind = MVX_FIELD_BOOL;
};
template <>
struct FieldOf<float> {
    static constexpr std::uint32_t kind = MVX_FIELD_F32;
};
template <>
struct FieldOf<double> {
    static constexpr std::uint32_t kind = MVX_FIELD_F64;
};
template <>
struct FieldOf<Symbol> {
    static constexpr std::uint32_t kind = MVX_FIELD_SYMBOL;
};
template <std::size_t N>
struct FieldOf<char[N]> {
    static constexpr std::uint32_t kind = MVX_FIELD_TEXT;
};
template <std::size_t N>
struct FieldOf<std::array<char, N>> {
    static constexpr std::uint32_t kind = MVX_FIELD_TEXT;
};
template <class T>
struct FieldOf<T, std::enable_if_t<std::is_integral_v<T>>> {
    static constexpr std::uint32_t base = std::is_signed_v<T> ? MVX_FIELD_I8 : MVX_FIELD_U8;
    static constexpr std::uint32_t kind = base + (sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3);
};
template <class T>
struct FieldOf<T, std::enable_if_t<std::is_enum_v<T>>> : FieldOf<std::underlying_type_t<T>> {
};

/* The number of a struct's event type, once it is declared. */
template <class E>
struct Number {
    static inline std::atomic<mvx_event_type> value{0};
};

/* An empty struct has one byte in C++, and none as an event. */
template <class E>
inline constexpr std::size_t payload_size = std::is_empty_v<E> ? 0 : sizeof(E);

/* Another language may leave out the padding at the end of a struct: then there are fewer bytes than it has. */
template <class E>
E event_of(const void *payload, std::size_t len) noexcept
{
    E event{};
    if (len > payload_size<E>)
        len = payload_size<E>;
    if (len > 0)
        std::memcpy(static_cast<void *>(&event), payload, len);
    return event;
}

template <class E, void (*Release)(const E &)>
void release_event(void *, const void *payload, std::size_t len)
{
    swallow([=] { Release(event_of<E>(payload, len)); });
}

} // namespace detail

/**
 * Declares the event type of a struct that MVX_EVENT describes, or finds it. Recording does so by itself; call this to
 * learn why a declaration fails.
 */
template <class E>
Result<EventType> declare()
{
    static_assert(std::is_trivially_copyable_v<E> && std::is_standard_layout_v<E>, "an event must be a plain struct");
    static_assert(sizeof(E) <= 4096 && alignof(E) <= 8, "an event has 4,096 bytes at most, aligned to 8 at most");
    detail::Declaration declaration = mvx_event_declaration(static_cast<const E *>(nullptr));
    auto type = EventType::declare_raw(declaration.name, declaration.fields, declaration.field_count,
                                       declaration.flags, declaration.release, nullptr);
    if (type)
        detail::Number<E>::value.store(type->number, std::memory_order_relaxed);
    return type;
}

/** The event type of a struct; its number is 0 where it can't be declared (declare() says why). */
template <class E>
EventType type_of() noexcept
{
    mvx_event_type number = detail::Number<E>::value.load(std::memory_order_relaxed);
    if (number == 0) {
        detail::swallow([&] {
            if (auto type = declare<E>())
                number = type->number;
        });
    }
    return EventType{number};
}

/** Copies a text into a field of kind TEXT, filled up with zeros. False, and no change, where it is too long. */
template <std::size_t N>
bool copy_text(char (&field)[N], std::string_view text) noexcept
{
    if (text.size() > N)
        return false;
    std::memset(field, 0, N);
    if (!text.empty())
        std::memcpy(field, text.data(), text.size());
    return true;
}

/** An event as a metric or hook sees it. It and its payload are there while the callback runs. */
class EventView {
public:
    explicit EventView(const mvx_event *event) noexcept : event_(event) {}

    EventType type() const noexcept { return EventType{event_->type}; }
    /** A static text. */
    std::string_view type_name() const noexcept { return detail::view(event_->type_name); }
    /** Aligned to 8 bytes; of no meaning where size() is 0. */
    const void *payload() const noexcept { return event_->payload; }
    std::size_t size() const noexcept { return event_->len; }
    /** Since the Unix epoch: of its registration where the type is timed, otherwise of the batch it came in. */
    Nanoseconds time() const noexcept { return Nanoseconds(static_cast<std::int64_t>(event_->time_unix_ns)); }
    const mvx_event *raw() const noexcept { return event_; }

    /** Whether it is an event of that struct. */
    template <class E>
    bool is() const noexcept
    {
        return event_->type == type_of<E>().number;
    }

    /** The event as that struct; nothing where it is of another type. Bytes that its sender left out are zeros. */
    template <class E>
    std::optional<E> as() const noexcept
    {
        if (!is<E>())
            return std::nullopt;
        return detail::event_of<E>(event_->payload, event_->len);
    }

private:
    const mvx_event *event_;
};

/* ---- What callbacks answer ---- */

/** A failure, with a message that becomes the cause of the error that follows; it may be empty. */
struct Failure {
    std::string message;
};

/** Says that a callback failed, and why. */
inline Failure failed(std::string message = {}) { return Failure{std::move(message)}; }

/** Says that a hook or a metric's snapshot() succeeded. */
struct Done {};
inline constexpr Done done{};

/** What a hook or a metric's snapshot() answers: done, or failed("why"). */
class Outcome {
public:
    Outcome(Done) noexcept {}
    Outcome(Failure failure) : failure_(std::move(failure)) {}
    const std::optional<Failure> &failure() const noexcept { return failure_; }

private:
    std::optional<Failure> failure_;
};

/** What a metric answers to an event: changed, ignored, or failed("why"). A bool does too: true is changed. */
class Handled {
public:
    Handled(bool changed) noexcept : code_(changed ? MVX_EVENT_CHANGED : MVX_EVENT_IGNORED) {}
    Handled(Failure failure) : code_(MVX_EVENT_FAILED), message_(std::move(failure.message)) {}
    std::int32_t code() const noexcept { return code_; }
    const std::string &message() const noexcept { return message_; }

private:
    std::int32_t code_;
    std::string message_;
};

/** The event changed the metric. */
inline constexpr bool changed = true;
/** The event did not concern the metric. */
inline constexpr bool ignored = false;

/* ---- Metrics of the host ---- */

/**
 * Writes a metric's state, while its snapshot() runs. Keys are unique and not empty; inside a list they are ignored.
 * Where a write fails nothing is written, and the snapshot of the metric fails, also if the status is not looked at.
 */
class Writer {
public:
    explicit Writer(mvx_writer *writer) noexcept : writer_(writer) {}

    void null(std::string_view key = {}) noexcept { note(mvx_writer_null(writer_, detail::raw(key))); }
    /** Writes a bool, an integer of any size, a floating point number or a text. */
    template <class T>
    void set(std::string_view key, const T &value) noexcept
    {
        mvx_str name = detail::raw(key);
        if constexpr (std::is_same_v<T, bool>)
            note(mvx_writer_bool(writer_, name, value));
        else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
            note(mvx_writer_i64(writer_, name, value));
        else if constexpr (std::is_integral_v<T>)
            note(mvx_writer_u64(writer_, name, value));
        else if constexpr (std::is_floating_point_v<T>)
            note(mvx_writer_f64(writer_, name, static_cast<double>(value)));
        else
            note(mvx_writer_str(writer_, name, detail::raw(std::string_view(value))));
    }
    /** Writes the next entry of a list. */
    template <class T>
    void add(const T &value) noexcept
    {
        set(std::string_view(), value);
    }
    /** Writes a map, whose entries `fill(Writer &)` writes. */
    template <class Fill>
    void map(std::string_view key, Fill &&fill)
    {
        nest(mvx_writer_begin_map(writer_, detail::raw(key)), std::forward<Fill>(fill));
    }
    /** Writes a list, whose entries `fill(Writer &)` adds. */
    template <class Fill>
    void list(std::string_view key, Fill &&fill)
    {
        nest(mvx_writer_begin_list(writer_, detail::raw(key)), std::forward<Fill>(fill));
    }

    /** Status::ok as long as nothing failed; otherwise what failed first. */
    Status status() const noexcept { return status_; }
    mvx_writer *raw() const noexcept { return writer_; }

private:
    void note(mvx_status status) noexcept
    {
        if (status_ == Status::ok)
            status_ = static_cast<Status>(status);
    }
    template <class Fill>
    void nest(mvx_status begun, Fill &&fill)
    {
        note(begun);
        if (begun != MVX_OK)
            return;
        fill(*this);
        note(mvx_writer_end(writer_));
    }

    mvx_writer *writer_;
    Status status_ = Status::ok;
};

/** Events of one call of handle_batch(), in order. */
class EventBatch {
public:
    EventBatch(const mvx_event *events, std::size_t count, std::uint8_t *marks) noexcept
        : events_(events), count_(count), marks_(marks)
    {
    }
    std::size_t size() const noexcept { return count_; }
    EventView operator[](std::size_t index) const noexcept
    {
        /* A later library may have larger events than this header knows. */
        auto bytes = reinterpret_cast<const unsigned char *>(events_);
        return EventView(reinterpret_cast<const mvx_event *>(bytes + index * events_->struct_size));
    }
    /** Says that this event changed the metric, for on_metric_changed. */
    void mark_changed(std::size_t index) const noexcept
    {
        if (marks_ != nullptr)
            marks_[index] = 1;
    }

private:
    const mvx_event *events_;
    std::size_t count_;
    std::uint8_t *marks_;
};

/** What a metric wants. */
struct MetricOptions {
    std::vector<EventType> event_types; /**< Others never reach it. Empty: all. */
    bool commutative = false;           /**< The order of events from different threads does not matter. */
    bool batches = false;               /**< It takes events by handle_batch(). */
};

/**
 * A metric of the host: derive from it. Its functions are never entered from two threads at once, so it needs no lock;
 * but one may be entered again on the same thread, if it calls something that calls back.
 */
class Metric {
public:
    Metric() = default;
    Metric(const Metric &) = delete;
    Metric &operator=(const Metric &) = delete;
    virtual ~Metric() = default;

    /** Asked once, when the metric is registered. */
    virtual MetricOptions options() const { return {}; }
    /** Handles one event: changed, ignored or failed("why"). */
    virtual Handled handle_event(const EventView &event) = 0;
    /** Handles many, in order, where options() asks for batches: changed if any changed the metric. */
    virtual Handled handle_batch(const EventBatch &batch)
    {
        bool any = false;
        for (std::size_t i = 0; i < batch.size(); i++) {
            Handled one = handle_event(batch[i]);
            if (one.code() == MVX_EVENT_CHANGED) {
                batch.mark_changed(i);
                any = true;
            } else if (one.code() != MVX_EVENT_IGNORED) {
                return one;
            }
        }
        return any;
    }
    /** Writes its state into a map that is open already: done or failed("why"). */
    virtual Outcome snapshot(Writer &writer) = 0;
};

/** A metric of events of one struct: derive from it. */
template <class E>
class MetricOf : public Metric {
public:
    MetricOptions options() const override { return {{type_of<E>()}}; }
    Handled handle_event(const EventView &event) final
    {
        std::optional<E> typed = event.as<E>();
        return typed ? handle(*typed) : Handled(ignored);
    }
    /** Handles one event: changed, ignored or failed("why"). */
    virtual Handled handle(const E &event) = 0;
};

namespace detail {

/* Whether f() answers, or returns nothing, which means success. */
template <class Answer, class F, class... Args>
Answer answer_of(F &f, Answer success, Args &&...args)
{
    if constexpr (std::is_void_v<std::invoke_result_t<F &, Args...>>) {
        f(std::forward<Args>(args)...);
        return success;
    } else {
        return Answer(f(std::forward<Args>(args)...));
    }
}

template <class E, class State, class Handle, class Snapshot>
class LambdaMetric final : public MetricOf<E> {
public:
    LambdaMetric(State state, Handle handle, Snapshot snapshot)
        : state_(std::move(state)), handle_(std::move(handle)), snapshot_(std::move(snapshot))
    {
    }
    Handled handle(const E &event) override { return answer_of<Handled>(handle_, changed, state_, event); }
    Outcome snapshot(Writer &writer) override
    {
        const State &state = state_;
        return answer_of<Outcome>(snapshot_, done, state, writer);
    }

private:
    State state_;
    Handle handle_;
    Snapshot snapshot_;
};

} // namespace detail

/**
 * A metric of events of one struct, from lambdas: handle(State &, const E &) answers like Metric::handle_event() or
 * returns nothing (changed); snapshot(const State &, Writer &) answers like Metric::snapshot() or returns nothing.
 */
template <class E, class State, class Handle, class Snapshot>
std::shared_ptr<Metric> make_metric(State state, Handle handle, Snapshot snapshot)
{
    return std::make_shared<detail::LambdaMetric<E, State, Handle, Snapshot>>(std::move(state), std::move(handle),
                                                                             std::move(snapshot));
}

namespace detail {

/*
 * The metrics of C++ that the library holds. A recorder may hold metrics of other languages as well, and their
 * user_data must not be read through: what is ours is told by its address, in slots that are never given back to the
 * system. No lock, so that a fork() can't leave it locked.
 */
struct MetricSlot {
    std::atomic<bool> used{false};
    std::shared_ptr<Metric> metric;
};

struct MetricSlots {
    static constexpr std::size_t size = 32;
    MetricSlot slots[size];
    MetricSlots *next = nullptr;

    static std::atomic<MetricSlots *> &first() noexcept
    {
        static std::atomic<MetricSlots *> list{nullptr};
        return list;
    }

    static MetricSlot *take(std::shared_ptr<Metric> metric)
    {
        for (MetricSlots *block = first().load(std::memory_order_acquire); block != nullptr; block = block->next) {
            for (MetricSlot &slot : block->slots) {
                if (!slot.used.exchange(true, std::memory_order_acquire)) {
                    slot.metric = std::move(metric);
                    return &slot;
                }
            }
        }
        auto *block = new MetricSlots;
        block->slots[0].used.store(true, std::memory_order_relaxed);
        block->slots[0].metric = std::move(metric);
        block->next = first().load(std::memory_order_relaxed);
        while (!first().compare_exchange_weak(block->next, block, std::memory_order_release,
                                              std::memory_order_relaxed)) {
        }
        return &block->slots[0];
    }

    /* The metric that was registered with this user_data; empty where it is none of C++. */
    static std::shared_ptr<Metric> find(const void *user_data) noexcept
    {
        auto address = reinterpret_cast<std::uintptr_t>(user_data);
        for (MetricSlots *block = first().load(std::memory_order_acquire); block != nullptr; block = block->next) {
            auto begin = reinterpret_cast<std::uintptr_t>(block->slots);
            if (address >= begin && address < begin + sizeof block->slots &&
                (address - begin) % sizeof(MetricSlot) == 0)
                return static_cast<const MetricSlot *>(user_data)->metric;
        }
        return nullptr;
    }
};

inline Metric &metric_at(void *user_data) noexcept { return *static_cast<MetricSlot *>(user_data)->metric; }

inline std::int32_t answer(const Handled &handled, mvx_callback_error *error) noexcept
{
    if (handled.code() == MVX_EVENT_FAILED)
        say(error, handled.message());
    return handled.code();
}

inline std::int32_t metric_handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error) noexcept
{
    return guard(error, MVX_EVENT_FAILED,
                 [&] { return answer(metric_at(user_data).handle_event(EventView(event)), error); });
}

inline std::int32_t metric_handle_batch(void *user_data, const mvx_event *events, std::size_t count,
                                        std::uint8_t *marks, mvx_callback_error *error) noexcept
{
    return guard(error, MVX_EVENT_FAILED,
                 [&] { return answer(metric_at(user_data).handle_batch(EventBatch(events, count, marks)), error); });
}

inline std::int32_t metric_snapshot(void *user_data, mvx_writer *raw_writer, mvx_callback_error *error) noexcept
{
    return guard(error, MVX_SNAPSHOT_FAILED, [&] {
        Writer writer(raw_writer);
        Outcome outcome = metric_at(user_data).snapshot(writer);
        if (outcome.failure()) {
            say(error, outcome.failure()->message);
            return MVX_SNAPSHOT_FAILED;
        }
        if (writer.status() != Status::ok) {
            say(error, std::string("an entry could not be written: ") + to_string(writer.status()));
            return MVX_SNAPSHOT_FAILED;
        }
        return MVX_SNAPSHOT_DONE;
    });
}

inline void metric_drop(void *user_data) noexcept
{
    auto *slot = static_cast<MetricSlot *>(user_data);
    swallow([=] {
        std::shared_ptr<Metric> last = std::move(slot->metric);
        slot->metric = nullptr;
        slot->used.store(false, std::memory_order_release);
    });
}

} // namespace detail

/* ---- Native metrics ---- */

/** A condition on a field of an event; texts serve symbols, too. */
struct Filter {
    std::string field;
    FilterOp op;
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string> value;
};

/** A metric that needs no callback: which event types, which of their events, and what is made of them. */
struct NativeMetric {
    std::string name; /**< 1 to 255 bytes. */
    MetricKind kind = MetricKind::counter;
    std::vector<EventType> event_types; /**< At least one. */
    std::string value_field = {};       /**< Empty: each event is worth 1. */
    std::vector<Filter> filters = {};   /**< All must hold. */
    std::vector<std::string> group_by = {};
    std::optional<std::int64_t> max_series = {}; /**< More than 0. By default 2,000. */
    std::string unit = {};
    std::string help = {};
    std::vector<double> bounds = {};
    std::optional<double> relative_error = {};
    std::uint32_t flags = 0;

    /** How many events there were, in a series for each combination of the fields of `group_by`. */
    static NativeMetric counter(std::string name, std::vector<EventType> event_types,
                                std::vector<std::string> group_by = {})
    {
        NativeMetric metric{std::move(name), MetricKind::counter, std::move(event_types)};
        metric.group_by = std::move(group_by);
        return metric;
    }
    /** The last value of a field. */
    static NativeMetric gauge(std::string name, std::vector<EventType> event_types, std::string value_field,
                              std::vector<std::string> group_by = {})
    {
        NativeMetric metric{std::move(name), MetricKind::gauge, std::move(event_types), std::move(value_field)};
        metric.group_by = std::move(group_by);
        return metric;
    }
};

namespace detail {

inline mvx_filter raw(const Filter &filter) noexcept
{
    mvx_filter raw_filter{};
    raw_filter.field = raw(filter.field);
    raw_filter.op = static_cast<std::uint32_t>(filter.op);
    if (auto flag = std::get_if<bool>(&filter.value)) {
        raw_filter.value_kind = MVX_VALUE_BOOL;
        raw_filter.i64 = *flag;
    } else if (auto integer = std::get_if<std::int64_t>(&filter.value)) {
        raw_filter.value_kind = MVX_VALUE_I64;
        raw_filter.i64 = *integer;
    } else if (auto natural = std::get_if<std::uint64_t>(&filter.value)) {
        raw_filter.value_kind = MVX_VALUE_U64;
        raw_filter.u64 = *natural;
    } else if (auto real = std::get_if<double>(&filter.value)) {
        raw_filter.value_kind = MVX_VALUE_F64;
        raw_filter.f64 = *real;
    } else if (auto text = std::get_if<std::string>(&filter.value)) {
        raw_filter.value_kind = MVX_VALUE_STR;
        raw_filter.str = raw(*text);
    }
    return raw_filter;
}

inline std::vector<mvx_event_type> numbers(const std::vector<EventType> &types)
{
    std::vector<mvx_event_type> list;
    for (EventType type : types)
        list.push_back(type.number);
    return list;
}

} // namespace detail

/* ---- Logs and hooks ---- */

/** One log record. It and its texts are there while the callback runs. */
class LogRecord {
public:
    explicit LogRecord(const mvx_log_record *record) noexcept : record_(record) {}
    LogLevel level() const noexcept { return static_cast<LogLevel>(record_->level); }
    /** Such as "metrics_recorder.start.failed". */
    std::string_view event() const noexcept { return detail::view(record_->event); }
    std::string_view target() const noexcept { return detail::view(record_->target); }
    /** The recorder's entity id, or the runtime's namespace. */
    std::string_view entity_id() const noexcept { return detail::view(record_->entity_id); }
    std::size_t field_count() const noexcept { return record_->field_count; }
    std::string_view field_key(std::size_t index) const noexcept { return detail::view(record_->fields[index].key); }
    std::string_view field_value(std::size_t index) const noexcept
    {
        return detail::view(record_->fields[index].value);
    }

private:
    const mvx_log_record *record_;
};

/** Where a runtime or recorder logs to. */
struct Log {
    /** Takes one record, on whatever thread it happened, also on several at once. */
    std::function<void(const LogRecord &)> write;
    LogPolicy policy = LogPolicy::normal;
    LogLevel max_level = LogLevel::info; /**< Nothing less severe than this. */
};

/** Callbacks on each thread that a runtime starts; each may be empty. */
struct ThreadHooks {
    std::function<void()> on_start, on_stop;
};

/**
 * The token of one call of a hook that finishes later. One that is destroyed before it was completed makes the hook
 * fail, so that no recorder waits for ever.
 */
class [[nodiscard]] Completion {
public:
    explicit Completion(mvx_completion *completion) noexcept : completion_(completion) {}
    Completion(Completion &&other) noexcept : completion_(std::exchange(other.completion_, nullptr)) {}
    Completion &operator=(Completion &&other) noexcept
    {
        if (this != &other) {
            let_go();
            completion_ = std::exchange(other.completion_, nullptr);
        }
        return *this;
    }
    ~Completion() { let_go(); }

    /** The hook succeeded. Any thread, once; also before the hook has returned. */
    Status done() noexcept { return complete({}); }
    /** The hook failed, and why: a message that must not be empty, or it counts as success. */
    Status fail(std::string_view message) noexcept { return complete(message); }

    mvx_completion *raw() const noexcept { return completion_; }
    std::uintptr_t handle() const noexcept { return reinterpret_cast<std::uintptr_t>(completion_); }
    mvx_completion *release() noexcept { return std::exchange(completion_, nullptr); }
    static Completion adopt(std::uintptr_t handle) noexcept
    {
        return Completion(reinterpret_cast<mvx_completion *>(handle));
    }

private:
    Status complete(std::string_view message) noexcept
    {
        mvx_status status = mvx_completion_done(completion_, detail::raw(message));
        if (status != MVX_INVALID_ARGUMENT) /* such as a message that is no UTF-8: the token stays good */
            completion_ = nullptr;
        return static_cast<Status>(status);
    }
    void let_go() noexcept
    {
        if (completion_ != nullptr)
            mvx_completion_done(release(), MVX_STR("the completion was destroyed before it was completed"));
    }

    mvx_completion *completion_;
};

/** One call of a hook. */
class HookCall {
public:
    explicit HookCall(mvx_completion *completion) noexcept : completion_(completion) {}

    /**
     * The hook finishes later, when the completion that this gives is completed; dispatching of this recorder waits.
     * Ask once. Where the hook then answers failed(), it has failed, and the completion is no longer good.
     */
    Completion defer() noexcept
    {
        deferred_ = true;
        return Completion(std::exchange(completion_, nullptr));
    }
    bool deferred() const noexcept { return deferred_; }

private:
    mvx_completion *completion_;
    bool deferred_ = false;
};

/** What on_metric_changed is shown. */
struct MetricChange {
    std::string_view metric_name;   /**< What it was registered under. */
    std::shared_ptr<Metric> metric; /**< The very object; empty for native metrics and those of other languages. */
    void *user_data;                /**< What the metric was registered with, whoever did; NULL for native ones. */
    EventView event;
};

/** The hooks of a recorder; each may be empty. They run one at a time. Without on_metric_changed it is faster. */
struct Hooks {
    std::function<Outcome(HookCall &)> on_starting, on_stopped;
    std::function<Outcome(const MetricChange &, HookCall &)> on_metric_changed;
};

namespace detail {

template <class F, class... Args>
std::int32_t run_hook(F &hook, mvx_completion *completion, mvx_callback_error *error, Args &&...args) noexcept
{
    return guard(error, MVX_HOOK_FAILED, [&] {
        HookCall call(completion);
        Outcome outcome = hook(std::forward<Args>(args)..., call);
        if (outcome.failure()) {
            say(error, outcome.failure()->message);
            return MVX_HOOK_FAILED;
        }
        return call.deferred() ? MVX_HOOK_PENDING : MVX_HOOK_DONE;
    });
}

inline std::int32_t hook_on_starting(void *user_data, mvx_completion *completion, mvx_callback_error *error) noexcept
{
    return run_hook(static_cast<Hooks *>(user_data)->on_starting, completion, error);
}

inline std::int32_t hook_on_stopped(void *user_data, mvx_completion *completion, mvx_callback_error *error) noexcept
{
    return run_hook(static_cast<Hooks *>(user_data)->on_stopped, completion, error);
}

inline std::int32_t hook_on_metric_changed(void *user_data, mvx_str metric_name, void *metric_user_data,
                                           const mvx_event *event, mvx_completion *completion,
                                           mvx_callback_error *error) noexcept
{
    MetricChange change{view(metric_name), MetricSlots::find(metric_user_data), metric_user_data, EventView(event)};
    return run_hook(static_cast<Hooks *>(user_data)->on_metric_changed, completion, error, change);
}

inline void log_write(void *user_data, const mvx_log_record *record) noexcept
{
    swallow([=] { static_cast<Log *>(user_data)->write(LogRecord(record)); });
}

inline void thread_on_start(void *user_data) noexcept
{
    swallow([=] { static_cast<ThreadHooks *>(user_data)->on_start(); });
}

inline void thread_on_stop(void *user_data) noexcept
{
    swallow([=] { static_cast<ThreadHooks *>(user_data)->on_stop(); });
}

/* What the library is handed for each; it owns the copies that `user_data` refers to as soon as it is called. */
inline mvx_log raw(const Log &log)
{
    mvx_log raw_log{};
    raw_log.struct_size = sizeof raw_log;
    raw_log.policy = static_cast<std::uint32_t>(log.policy);
    raw_log.max_level = static_cast<std::int32_t>(log.max_level);
    raw_log.write = log.write ? log_write : nullptr;
    raw_log.drop = drop<Log>;
    raw_log.user_data = new Log(log);
    return raw_log;
}

inline mvx_hooks raw(const Hooks &hooks)
{
    mvx_hooks raw_hooks{};
    raw_hooks.struct_size = sizeof raw_hooks;
    raw_hooks.on_starting = hooks.on_starting ? hook_on_starting : nullptr;
    raw_hooks.on_stopped = hooks.on_stopped ? hook_on_stopped : nullptr;
    raw_hooks.on_metric_changed = hooks.on_metric_changed ? hook_on_metric_changed : nullptr;
    raw_hooks.drop = drop<Hooks>;
    raw_hooks.user_data = new Hooks(hooks);
    return raw_hooks;
}

inline mvx_thread_hooks raw(const ThreadHooks &hooks)
{
    mvx_thread_hooks raw_hooks{};
    raw_hooks.struct_size = sizeof raw_hooks;
    raw_hooks.on_start = hooks.on_start ? thread_on_start : nullptr;
    raw_hooks.on_stop = hooks.on_stop ? thread_on_stop : nullptr;
    raw_hooks.drop = drop<ThreadHooks>;
    raw_hooks.user_data = new ThreadHooks(hooks);
    return raw_hooks;
}

} // namespace detail

/* ---- Options ---- */

/** Options of a runtime; what is left empty keeps its default. */
struct RuntimeOptions {
    std::string name_space = {};                                  /**< By default "mvx". */
    std::optional<std::int64_t> recorder_queue_max_size = {};     /**< More than 0. By default 10,000. */
    std::optional<std::int64_t> recorder_queue_max_bytes = {};    /**< More than 0. By default 16 MiB. */
    std::optional<OverflowPolicy> recorder_overflow_policy = {};  /**< By default drop. */
    std::optional<std::uint32_t> worker_threads = {};             /**< 1 to 1,024. By default 1. */
    std::optional<Nanoseconds> shutdown_timeout = {};             /**< More than 0. By default 5 s. */
    std::string thread_name_prefix = {};                          /**< By default "mvx". */
    std::optional<Log> log = {};                                  /**< Also of its recorders that name none. */
    std::optional<ThreadHooks> thread_hooks = {};
};

/** Options of a recorder; what is left empty keeps its default: its runtime's, where there is one. */
struct RecorderOptions {
    std::string entity_id = {};
    std::string name_space = {};
    std::optional<std::int64_t> queue_max_size = {};  /**< More than 0. */
    std::optional<std::int64_t> queue_max_bytes = {}; /**< More than 0. */
    std::optional<OverflowPolicy> overflow_policy = {};
    std::optional<Nanoseconds> block_timeout = {}; /**< More than 0. By default 1 s; for ever: Nanoseconds::max(). */
    std::optional<MetricErrorPolicy> metric_error_policy = {};
    std::optional<Folding> folding = {};
    std::optional<Hooks> hooks = {};
    std::optional<Log> log = {};
};

namespace detail {

/* To the library an option of 0 means its default; to somebody who wrote it, it hardly does. */
class NoZeros {
public:
    template <class T>
    T take(const char *name, const std::optional<T> &option, T absent = T{})
    {
        if (option && *option == T{} && argument_ == nullptr)
            argument_ = name;
        return option.value_or(absent);
    }
    explicit operator bool() const noexcept { return argument_ == nullptr; }
    Error error() const { return bad_argument(argument_, "must be more than 0; leave it empty for the default"); }

private:
    const char *argument_ = nullptr;
};

template <class Enum>
std::uint32_t number_or_zero(const std::optional<Enum> &option) noexcept
{
    return option ? static_cast<std::uint32_t>(*option) : 0;
}

/* Options as the C interface has them, for the time of one call. */
struct RawRecorderOptions {
    mvx_recorder_options options{};
    mvx_hooks hooks{};
    mvx_log log{};

    RawRecorderOptions() = default;
    RawRecorderOptions(const RawRecorderOptions &) = delete;
    RawRecorderOptions &operator=(const RawRecorderOptions &) = delete;

    Result<void> fill(const RecorderOptions &from)
    {
        NoZeros no_zeros;
        options.struct_size = sizeof options;
        options.entity_id = raw(from.entity_id);
        options.name_space = raw(from.name_space);
        options.queue_max_size = no_zeros.take("queue_max_size", from.queue_max_size);
        options.queue_max_bytes = no_zeros.take("queue_max_bytes", from.queue_max_bytes);
        options.overflow_policy = number_or_zero(from.overflow_policy);
        options.block_timeout_ns = no_zeros.take("block_timeout_ns", from.block_timeout).count();
        options.metric_error_policy = number_or_zero(from.metric_error_policy);
        options.folding = number_or_zero(from.folding);
        if (!no_zeros)
            return no_zeros.error();
        if (from.hooks) {
            hooks = raw(*from.hooks);
            options.hooks = &hooks;
        }
        if (from.log) {
            log = raw(*from.log);
            options.log = &log;
        }
        return {};
    }
};

struct RawRuntimeOptions {
    mvx_runtime_options options{};
    mvx_log log{};
    mvx_thread_hooks thread_hooks{};

    RawRuntimeOptions() = default;
    RawRuntimeOptions(const RawRuntimeOptions &) = delete;
    RawRuntimeOptions &operator=(const RawRuntimeOptions &) = delete;

    Result<void> fill(const RuntimeOptions &from)
    {
        NoZeros no_zeros;
        options.struct_size = sizeof options;
        options.name_space = raw(from.name_space);
        options.recorder_queue_max_size = no_zeros.take("recorder_queue_max_size", from.recorder_queue_max_size);
        options.recorder_queue_max_bytes = no_zeros.take("recorder_queue_max_bytes", from.recorder_queue_max_bytes);
        options.recorder_overflow_policy = number_or_zero(from.recorder_overflow_policy);
        options.worker_threads = no_zeros.take("worker_threads", from.worker_threads);
        options.shutdown_timeout_ns = no_zeros.take("shutdown_timeout_ns", from.shutdown_timeout).count();
        options.thread_name_prefix = raw(from.thread_name_prefix);
        if (!no_zeros)
            return no_zeros.error();
        if (from.log) {
            log = raw(*from.log);
            options.log = &log;
        }
        if (from.thread_hooks) {
            thread_hooks = raw(*from.thread_hooks);
            options.thread_hooks = &thread_hooks;
        }
        return {};
    }
};

} // namespace detail

/* ---- Waiting ---- */

/** How an operation ended: success, or its error; and which operation, as soon as it is over. */
struct [[nodiscard]] OperationResult : Result<void> {
    OperationResult(Result<void> result, std::optional<Operation> over)
        : Result<void>(std::move(result)), operation(over)
    {
    }
    std::optional<Operation> operation;
};

/** One waiter's hold on an operation that was begun. Letting go of it does not take the operation back. */
class [[nodiscard]] Wait : public detail::Handle<mvx_wait, mvx_wait_free> {
public:
    using Handle::Handle;
    /** Takes over a reference. */
    static Wait adopt(std::uintptr_t handle) noexcept { return Wait(reinterpret_cast<mvx_wait *>(handle)); }

    /** Waits until the operation is over, whether it succeeded or not (ok), or time runs out (timeout). */
    Status block(Nanoseconds limit = forever) const noexcept
    {
        return static_cast<Status>(mvx_wait_block(raw_, detail::raw(limit)));
    }

    /** How the operation ended; Status::not_ready where it is not over. Does not block. */
    OperationResult result() const
    {
        std::int32_t operation = 0;
        mvx_error *error = nullptr;
        mvx_status status = mvx_wait_result(raw_, &operation, &error);
        return OperationResult(detail::outcome(status, error),
                               operation != 0 ? std::optional(static_cast<Operation>(operation)) : std::nullopt);
    }

    /** Waits until the operation is over, and says how it ended. */
    OperationResult get(Nanoseconds limit = forever) const
    {
        Status status = block(limit);
        if (status != Status::ok)
            return OperationResult(Error(status), std::nullopt);
        return result();
    }

    /**
     * Has `f(const OperationResult &)` called once when the operation is over: on a thread of the library, or on this
     * one before the call returns, where it is over already.
     */
    template <class F>
    Status on_complete(F f) const
    {
        auto call = [](void *user_data, std::int32_t operation, mvx_status status, const mvx_error *error) noexcept {
            detail::swallow([&] {
                Result<void> result;
                if (status != MVX_OK)
                    result = error != nullptr ? Error(error) : Error(static_cast<Status>(status));
                (*static_cast<F *>(user_data))(OperationResult(std::move(result), static_cast<Operation>(operation)));
            });
        };
        return static_cast<Status>(mvx_wait_on_complete(raw_, call, new F(std::move(f)), detail::drop<F>));
    }

#if !defined(__GLIBCXX__) || defined(_GLIBCXX_HAS_GTHREADS)
    /**
     * The operation as a future. Don't wait for it in a callback that the operation waits for. MinGW's win32 flavour
     * up to GCC 12 has no std::future, so it is missing there.
     */
    std::future<OperationResult> future() const
    {
        auto promise = std::make_shared<std::promise<OperationResult>>();
        Status status = on_complete([promise](const OperationResult &result) { promise->set_value(result); });
        if (status != Status::ok)
            promise->set_value(OperationResult(Error(status), std::nullopt));
        return promise->get_future();
    }
#endif

#if defined(_WIN32)
    /** An event HANDLE that is signalled when the operation is over; good as long as this wait. */
    Result<void *> handle() const
    {
        void *handle = nullptr;
        mvx_status status = mvx_wait_handle(raw_, &handle);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return handle;
    }
#else
    /** A file descriptor that becomes readable when the operation is over; good as long as this wait. */
    Result<int> fd() const
    {
        int fd = -1;
        mvx_status status = mvx_wait_fd(raw_, &fd);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return fd;
    }
#endif
};

/** In the place of a wait: the operation is only begun, and how it ends is not told. */
struct NoWait {};
inline constexpr NoWait no_wait{};

/* ---- Snapshots ---- */

/** A value in a snapshot; good as long as the snapshot. Where there is none it is a null. */
class Value {
public:
    explicit Value(const mvx_value *value = nullptr) noexcept : value_(value) {}

    /** Whether there is such a value, be it a null. */
    bool exists() const noexcept { return value_ != nullptr; }
    ValueKind kind() const noexcept { return static_cast<ValueKind>(mvx_value_kind(value_)); }
    bool is_null() const noexcept { return kind() == ValueKind::null; }

    /** The entries of a list or map. */
    std::size_t size() const noexcept { return mvx_value_len(value_); }
    std::string_view key_at(std::size_t index) const noexcept { return detail::view(mvx_value_key_at(value_, index)); }
    Value at(std::size_t index) const noexcept { return Value(mvx_value_at(value_, index)); }
    Value get(std::string_view key) const noexcept { return Value(mvx_value_get(value_, detail::raw(key))); }
    /** By number or by key. */
    template <class Index>
    Value operator[](const Index &index) const noexcept
    {
        if constexpr (std::is_integral_v<Index>)
            return at(static_cast<std::size_t>(index));
        else
            return get(index);
    }

    /** The value, where it is of that kind; a number of any kind, where the result can hold exactly that. */
    std::optional<bool> as_bool() const noexcept
    {
        std::int32_t flag = 0;
        return mvx_value_as_bool(value_, &flag) == MVX_OK ? std::optional(flag != 0) : std::nullopt;
    }
    std::optional<std::int64_t> as_i64() const noexcept { return number<std::int64_t>(mvx_value_as_i64); }
    std::optional<std::uint64_t> as_u64() const noexcept { return number<std::uint64_t>(mvx_value_as_u64); }
    std::optional<double> as_f64() const noexcept { return number<double>(mvx_value_as_f64); }
    std::optional<std::string_view> as_str() const noexcept
    {
        mvx_str text{nullptr, 0};
        return mvx_value_as_str(value_, &text) == MVX_OK ? std::optional(detail::view(text)) : std::nullopt;
    }

private:
    template <class T>
    std::optional<T> number(mvx_status (*read)(const mvx_value *, T *)) const noexcept
    {
        T result{};
        return read(value_, &result) == MVX_OK ? std::optional(result) : std::nullopt;
    }

    const mvx_value *value_;
};

/** The state of a recorder's metrics at one moment. It never changes, and outlives its recorder. */
class Snapshot : public detail::Handle<mvx_snapshot, mvx_snapshot_free> {
public:
    using Handle::Handle;

    /** The metrics, in registration order. */
    std::size_t size() const noexcept { return mvx_snapshot_len(raw_); }
    std::string_view name_at(std::size_t index) const & noexcept
    {
        return detail::view(mvx_snapshot_name_at(raw_, index));
    }
    /** The state of one metric: a map. */
    Value get(std::string_view metric_name) const & noexcept
    {
        return Value(mvx_snapshot_get(raw_, detail::raw(metric_name)));
    }
    Value operator[](std::string_view metric_name) const & noexcept { return get(metric_name); }

    /* A value of a temporary snapshot would be gone with it. */
    std::string_view name_at(std::size_t index) const && = delete;
    Value get(std::string_view metric_name) const && = delete;
    Value operator[](std::string_view metric_name) const && = delete;

    /** As JSON, without white space. */
    Result<std::string> to_json() const { return text(mvx_snapshot_to_json); }
    /** As OpenMetrics text. */
    Result<std::string> to_openmetrics() const { return text(mvx_snapshot_to_openmetrics); }

private:
    Result<std::string> text(mvx_status (*render)(const mvx_snapshot *, mvx_text **, mvx_error **)) const
    {
        mvx_text *text = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = render(raw_, &text, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return detail::take(text);
    }
};

/* ---- Recorders ---- */

/** Counts of a recorder. At every moment accepted = dispatched + discarded + pending. */
struct Stats {
    std::uint64_t accepted, dispatched, dropped, refused, discarded, pending, pending_max, pending_bytes,
        quarantined_metrics;
    Nanoseconds lag; /**< How far dispatching is behind recording. */
};

/** A metric as iter_metrics() shows it. Its texts and its error are there while the visitor runs. */
struct MetricInfo {
    std::string_view name;
    MetricKind kind;
    MetricState state;
    std::shared_ptr<Metric> metric; /**< The very object; empty for native metrics and those of other languages. */
    void *user_data;                /**< What it was registered with, whoever did; NULL for native ones. */
    const Error *error;             /**< Why it is quarantined; nullptr where it is not. */
};

/** What came of register_events(): how many were accepted, and what the first one met that was not. */
struct [[nodiscard]] RegisterEventsResult {
    Status status;
    std::size_t accepted;
};

class Runtime;

/** A recorder: takes events, hands them to its metrics, shows their state. Freeing it stops it in the background. */
class [[nodiscard]] Recorder : public detail::Handle<mvx_recorder, mvx_recorder_free> {
public:
    using Handle::Handle;

    /** Creates a recorder, which is VIRGIN, on the default runtime of the process. */
    static Result<Recorder> create(const RecorderOptions &options = {}) { return make(nullptr, options); }
    /** The same on a runtime, which must be RUNNING. Unlike Runtime::create_recorder() it gets no id, and no start. */
    static inline Result<Recorder> create(const Runtime &runtime, const RecorderOptions &options = {});
    /** Makes a reference of one's own from a handle of whatever language, which stays its owner's. */
    static Result<Recorder> from_handle(std::uintptr_t handle) { return Borrowed<Recorder>(handle)->clone(); }
    /** Takes over a reference. */
    static Recorder adopt(std::uintptr_t handle) noexcept { return Recorder(reinterpret_cast<mvx_recorder *>(handle)); }
    /** A further reference to the same recorder. */
    Result<Recorder> clone() const
    {
        mvx_recorder *clone = nullptr;
        mvx_status status = mvx_recorder_clone(raw_, &clone);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return Recorder(clone);
    }

    /** Starts a recorder that is VIRGIN or STOPPED, or joins a start under way. Does not block. */
    Result<Wait> start() const { return begin(mvx_recorder_start); }
    Result<void> start(NoWait) const { return begin_only(mvx_recorder_start); }
    /** Stops a RUNNING recorder: dispatches what was accepted, then runs on_stopped. Does not block. */
    Result<Wait> stop() const { return begin(mvx_recorder_stop); }
    Result<void> stop(NoWait) const { return begin_only(mvx_recorder_stop); }
    /** Over when every event that was accepted before is dispatched. Does not block. */
    Result<Wait> flush() const { return begin(mvx_recorder_flush); }
    Result<void> flush(NoWait) const { return begin_only(mvx_recorder_flush); }
    /** Makes it CANCELLED, for good; what is pending is discarded. */
    Result<void> cancel() const
    {
        return detail::run([&](mvx_error **error) { return mvx_recorder_cancel(raw_, error); });
    }

    Result<RecorderState> state() const
    {
        std::int32_t state = 0;
        mvx_status status = mvx_recorder_state(raw_, &state);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return static_cast<RecorderState>(state);
    }
    /** Why it is FAILURE or CANCELLED; empty where it is neither. */
    Result<std::optional<Error>> last_error() const
    {
        mvx_error *error = nullptr;
        mvx_status status = mvx_recorder_last_error(raw_, &error);
        return detail::kept_error(status, error);
    }
    Result<std::string> entity_id() const { return text(mvx_recorder_entity_id); }
    Result<std::string> name_space() const { return text(mvx_recorder_name_space); }
    Result<Stats> stats() const
    {
        struct mvx_recorder_stats raw_stats {};
        raw_stats.struct_size = sizeof raw_stats;
        mvx_status status = mvx_recorder_stats(raw_, &raw_stats);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return Stats{raw_stats.accepted,      raw_stats.dispatched,    raw_stats.dropped,
                     raw_stats.refused,       raw_stats.discarded,     raw_stats.pending,
                     raw_stats.pending_max,   raw_stats.pending_bytes, raw_stats.quarantined_metrics,
                     Nanoseconds(raw_stats.lag_ns)};
    }

    /**
     * Registers a metric under a name, which replaces one of the same name. It sees the events that are registered
     * after this call, and the recorder shares it until it is replaced or the recorder is gone.
     */
    Result<void> register_metric(std::string_view name, std::shared_ptr<Metric> metric) const
    {
        if (!metric)
            return detail::bad_argument("metric", "must not be empty");
        MetricOptions options = metric->options();
        std::vector<mvx_event_type> types = detail::numbers(options.event_types);
        mvx_metric_vtable vtable{};
        vtable.struct_size = sizeof vtable;
        vtable.handle_event = detail::metric_handle_event;
        vtable.handle_batch = options.batches ? detail::metric_handle_batch : nullptr;
        vtable.snapshot = detail::metric_snapshot;
        vtable.drop = detail::metric_drop;
        vtable.event_types = types.data();
        vtable.event_type_count = types.size();
        vtable.flags = options.commutative ? MVX_METRIC_COMMUTATIVE : 0;
        mvx_error *error = nullptr;
        detail::MetricSlot *slot = detail::MetricSlots::take(std::move(metric));
        mvx_status status = mvx_recorder_register_metric(raw_, detail::raw(name), &vtable, slot, &error);
        return detail::outcome(status, error);
    }

    /** Registers a native metric under the name in its declaration; otherwise like register_metric(). */
    Result<void> register_native_metric(const NativeMetric &metric) const
    {
        detail::NoZeros no_zeros;
        std::vector<mvx_event_type> types = detail::numbers(metric.event_types);
        std::vector<mvx_filter> filters;
        for (const Filter &filter : metric.filters)
            filters.push_back(detail::raw(filter));
        std::vector<mvx_str> group_by;
        for (const std::string &field : metric.group_by)
            group_by.push_back(detail::raw(field));
        mvx_metric_spec spec{};
        spec.struct_size = sizeof spec;
        spec.name = detail::raw(metric.name);
        spec.unit = detail::raw(metric.unit);
        spec.help = detail::raw(metric.help);
        spec.kind = static_cast<std::uint32_t>(metric.kind);
        spec.flags = metric.flags;
        spec.event_types = types.data();
        spec.event_type_count = types.size();
        spec.value_field = detail::raw(metric.value_field);
        spec.filters = filters.data();
        spec.filter_count = filters.size();
        spec.group_by = group_by.data();
        spec.group_by_count = group_by.size();
        spec.max_series = no_zeros.take("max_series", metric.max_series);
        spec.bounds = metric.bounds.data();
        spec.bound_count = metric.bounds.size();
        spec.relative_error = no_zeros.take("relative_error", metric.relative_error);
        if (!no_zeros)
            return no_zeros.error();
        return detail::run([&](mvx_error **error) { return mvx_recorder_register_native_metric(raw_, &spec, error); });
    }

    /**
     * Shows the metrics, in registration order, to `visitor(const MetricInfo &)`, on this thread; it may return false
     * to stop. What it throws comes out of this call.
     */
    template <class Visitor>
    Result<void> iter_metrics(Visitor &&visitor) const
    {
        struct Context {
            Visitor &visitor;
#if MVX_HAS_EXCEPTIONS
            std::exception_ptr thrown;
#endif
        } context{visitor
#if MVX_HAS_EXCEPTIONS
                  , nullptr
#endif
        };
        auto visit = [](void *pointer, const mvx_metric_info *info) noexcept -> std::int32_t {
            auto *to = static_cast<Context *>(pointer);
            auto show = [&] {
                std::optional<Error> error;
                if (info->error != nullptr)
                    error.emplace(info->error);
                MetricInfo shown{detail::view(info->name), static_cast<MetricKind>(info->kind),
                                 static_cast<MetricState>(info->state), detail::MetricSlots::find(info->user_data),
                                 info->user_data, error ? &*error : nullptr};
                return detail::answer_of<bool>(to->visitor, true, static_cast<const MetricInfo &>(shown)) ? 0 : 1;
            };
#if MVX_HAS_EXCEPTIONS
            try {
                return show();
            } catch (...) {
                to->thrown = std::current_exception();
                return 1;
            }
#else
            return show();
#endif
        };
        mvx_error *error = nullptr;
        mvx_status status = mvx_recorder_iter_metrics(raw_, visit, &context, &error);
#if MVX_HAS_EXCEPTIONS
        if (context.thrown)
            std::rethrow_exception(context.thrown);
#endif
        return detail::outcome(status, error);
    }

    /**
     * Records one event of a struct that MVX_EVENT describes. This is the call to make often: no lock, no allocation,
     * no system call, no copy but the library's. It blocks only under OverflowPolicy::block. After any status but ok
     * the event was not queued.
     */
    template <class E>
    Status register_event(const E &event) const noexcept
    {
        mvx_event_type number = detail::Number<E>::value.load(std::memory_order_relaxed);
        if (number == 0)
            number = type_of<E>().number; /* once: the first event of its type */
        return register_event(EventType{number}, &event, detail::payload_size<E>);
    }
    /** Records one event of a type that was declared at run time. `payload` may be NULL where `len` is 0. */
    Status register_event(EventType type, const void *payload = nullptr, std::size_t len = 0) const noexcept
    {
        return static_cast<Status>(mvx_recorder_register_event(raw_, type.number, payload, len));
    }
    /** Records many events of one struct, in order, as many as fit. */
    template <class E>
    RegisterEventsResult register_events(const E *events, std::size_t count) const noexcept
    {
        return register_events(type_of<E>(), events, detail::payload_size<E>, count);
    }
    /** The same for anything contiguous: a std::vector, a std::array. */
    template <class Events>
    auto register_events(const Events &events) const noexcept -> decltype(register_events(events.data(), events.size()))
    {
        return register_events(events.data(), events.size());
    }
    RegisterEventsResult register_events(EventType type, const void *payloads, std::size_t len_each,
                                         std::size_t count) const noexcept
    {
        std::size_t accepted = 0;
        mvx_status status = mvx_recorder_register_events(raw_, type.number, payloads, len_each, count, &accepted);
        return {static_cast<Status>(status), accepted};
    }

    /**
     * A snapshot of all metrics, in every state. In RUNNING a consistent one shows every event that was accepted
     * before the call, and waits for them and for busy metrics up to the limit.
     */
    Result<Snapshot> snapshot(SnapshotMode mode = SnapshotMode::consistent,
                              Nanoseconds limit = std::chrono::seconds(5)) const
    {
        mvx_snapshot *snapshot = nullptr;
        mvx_error *error = nullptr;
        mvx_status status =
            mvx_recorder_snapshot(raw_, static_cast<std::uint32_t>(mode), detail::raw(limit), &snapshot, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Snapshot(snapshot);
    }

private:
    static Result<Recorder> make(mvx_runtime *runtime, const RecorderOptions &options)
    {
        detail::RawRecorderOptions raw_options;
        if (auto filled = raw_options.fill(options); !filled)
            return filled.error();
        mvx_recorder *recorder = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_recorder_create(runtime, &raw_options.options, &recorder, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Recorder(recorder);
    }
    Result<Wait> begin(mvx_status (*operation)(mvx_recorder *, mvx_wait **, mvx_error **)) const
    {
        mvx_wait *wait = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = operation(raw_, &wait, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Wait(wait);
    }
    Result<void> begin_only(mvx_status (*operation)(mvx_recorder *, mvx_wait **, mvx_error **)) const
    {
        return detail::run([&](mvx_error **error) { return operation(raw_, nullptr, error); });
    }
    Result<std::string> text(mvx_status (*read)(const mvx_recorder *, mvx_text **)) const
    {
        mvx_text *text = nullptr;
        mvx_status status = read(raw_, &text);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return detail::take(text);
    }
};

/* ---- Runtimes ---- */

/** A runtime: the threads of the library, and a registry of recorders. Freeing it does not shut it down. */
class [[nodiscard]] Runtime : public detail::Handle<mvx_runtime, mvx_runtime_free> {
public:
    using Handle::Handle;

    /** Creates a runtime, which is VIRGIN: it has no threads yet. */
    static Result<Runtime> create(const RuntimeOptions &options = {})
    {
        detail::RawRuntimeOptions raw_options;
        if (auto filled = raw_options.fill(options); !filled)
            return filled.error();
        mvx_runtime *runtime = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_create(&raw_options.options, &runtime, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Runtime(runtime);
    }
    /** The default runtime of the process, created and started when it is first asked for. */
    static Result<Runtime> get_default()
    {
        mvx_runtime *runtime = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_default(&runtime, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Runtime(runtime);
    }
    /** Makes a reference of one's own from a handle of whatever language, which stays its owner's. */
    static Result<Runtime> from_handle(std::uintptr_t handle) { return Borrowed<Runtime>(handle)->clone(); }
    /** Takes over a reference. */
    static Runtime adopt(std::uintptr_t handle) noexcept { return Runtime(reinterpret_cast<mvx_runtime *>(handle)); }
    /** A further reference to the same runtime. */
    Result<Runtime> clone() const
    {
        mvx_runtime *clone = nullptr;
        mvx_status status = mvx_runtime_clone(raw_, &clone);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return Runtime(clone);
    }

    /** Starts the threads of a VIRGIN runtime. Blocks while they start. */
    Result<void> start() const
    {
        return detail::run([&](mvx_error **error) { return mvx_runtime_start(raw_, error); });
    }
    /** Stops and removes the recorders, and joins the threads, for good. Blocks, up to shutdown_timeout. */
    Result<void> shutdown() const
    {
        return detail::run([&](mvx_error **error) { return mvx_runtime_shutdown(raw_, error); });
    }
    /** The same without blocking. */
    Result<Wait> shutdown_async() const
    {
        mvx_wait *wait = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_shutdown_async(raw_, &wait, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Wait(wait);
    }

    Result<RuntimeState> state() const
    {
        std::int32_t state = 0;
        mvx_status status = mvx_runtime_state(raw_, &state);
        if (status != MVX_OK)
            return Error(static_cast<Status>(status));
        return static_cast<RuntimeState>(state);
    }
    /** Why it is FAILURE; empty where it is not. */
    Result<std::optional<Error>> last_error() const
    {
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_last_error(raw_, &error);
        return detail::kept_error(status, error);
    }

    /** Creates a recorder, starts it and registers it under an id. Blocks until it is RUNNING. */
    Result<Recorder> create_recorder(std::string_view recorder_id, const RecorderOptions &options = {}) const
    {
        detail::RawRecorderOptions raw_options;
        if (auto filled = raw_options.fill(options); !filled)
            return filled.error();
        mvx_recorder *recorder = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_create_recorder(raw_, detail::raw(recorder_id), &raw_options.options,
                                                        &recorder, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Recorder(recorder);
    }
    /** The recorder of an id; Status::not_found where there is none. */
    Result<Recorder> get_recorder(std::string_view recorder_id) const
    {
        mvx_recorder *recorder = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_get_recorder(raw_, detail::raw(recorder_id), &recorder, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Recorder(recorder);
    }
    /** The same, where it is no error that there is none. */
    Result<std::optional<Recorder>> try_get_recorder(std::string_view recorder_id) const
    {
        mvx_recorder *recorder = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_try_get_recorder(raw_, detail::raw(recorder_id), &recorder, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        std::optional<Recorder> found;
        if (recorder != nullptr)
            found.emplace(recorder);
        return Result<std::optional<Recorder>>(std::move(found));
    }
    /** The ids of its recorders. */
    Result<std::vector<std::string>> list_recorder_ids() const
    {
        mvx_strings *ids = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_list_recorder_ids(raw_, &ids, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        std::vector<std::string> list;
        for (std::size_t i = 0; i < mvx_strings_len(ids); i++)
            list.emplace_back(detail::view(mvx_strings_at(ids, i)));
        mvx_strings_free(ids);
        return Result<std::vector<std::string>>(std::move(list));
    }
    /** Stops a recorder and leaves it registered. Blocks until its events are dispatched. */
    Result<void> stop_recorder(std::string_view recorder_id) const
    {
        return detail::run(
            [&](mvx_error **error) { return mvx_runtime_stop_recorder(raw_, detail::raw(recorder_id), error); });
    }
    /** Stops a recorder and removes it, also where stopping fails. Blocks until its events are dispatched. */
    Result<Recorder> stop_and_remove_recorder(std::string_view recorder_id) const
    {
        mvx_recorder *recorder = nullptr;
        mvx_error *error = nullptr;
        mvx_status status = mvx_runtime_stop_and_remove_recorder(raw_, detail::raw(recorder_id), &recorder, &error);
        if (status != MVX_OK)
            return detail::take_error(status, error);
        return Recorder(recorder);
    }
};

inline Result<Recorder> Recorder::create(const Runtime &runtime, const RecorderOptions &options)
{
    /* NULL would be the default runtime, which is not what a runtime that was moved away stands for. */
    if (!runtime)
        return Error(Status::invalid_handle, "INVALID_HANDLE", "runtime: the handle is empty",
                     "{\"argument\":\"runtime\"}");
    return make(runtime.raw(), options);
}

/** The version of the library that is loaded, such as "0.1.0". A static text. */
inline const char *version() noexcept { return mvx_version(); }

} // namespace with_exceptions / without_exceptions
} // namespace mvx

/* ---- Declaring events ---- */

/**
 * MVX_EVENT(SaveAttempt, "document_storage.save.attempt", outcome, seconds): says once, in the namespace of the struct
 * and after it, which event type it is and which of its members native metrics, JSON and logs can read (64 at most).
 * The struct must be plain: integers, float, double, bool, enums, mvx::Symbol, char[N]; others are left unnamed.
 */
#define MVX_EVENT(Type, ...) MVX_DETAIL_EVENT(Type, 0u, nullptr, __VA_ARGS__)

/** The same, and each event carries the time of its registration. */
#define MVX_TIMED_EVENT(Type, ...) MVX_DETAIL_EVENT(Type, MVX_EVENT_TYPE_TIMED, nullptr, __VA_ARGS__)

/**
 * The same, with a function `void release(const Type &)` that is called once for each accepted event, after its
 * dispatch or when it is discarded: for payloads that refer to something of one's own.
 */
#define MVX_RELEASED_EVENT(Type, release, ...) \
    MVX_DETAIL_EVENT(Type, 0u, (&::mvx::detail::release_event<Type, release>), __VA_ARGS__)

#define MVX_DETAIL_EVENT(Type, event_flags, event_release, ...) \
    [[maybe_unused]] inline ::mvx::detail::Declaration mvx_event_declaration(const Type *) noexcept \
    { \
        static constexpr ::mvx_field fields[] = { \
            MVX_DETAIL_FIELDS(MVX_DETAIL_COUNT(__VA_ARGS__), Type, __VA_ARGS__) ::mvx_field{{nullptr, 0}, 0, 0, 0}}; \
        return {MVX_DETAIL_FIRST(__VA_ARGS__, ), fields, sizeof fields / sizeof *fields - 1, event_flags, \
                event_release}; \
    } \
    static_assert(true, "a semicolon follows")

#define MVX_DETAIL_FIELD(Type, member) \
    ::mvx_field{{#member, sizeof #member - 1}, \
                ::mvx::detail::FieldOf<decltype(Type::member)>::kind, \
                static_cast<::std::uint32_t>(offsetof(Type, member)), \
                static_cast<::std::uint32_t>(sizeof(Type::member))},
#define MVX_DETAIL_FIRST(first, ...) first
#define MVX_DETAIL_FIELDS(count, Type, ...) MVX_DETAIL_FIELDS_OF(count, Type, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_OF(count, Type, ...) MVX_DETAIL_FIELDS_##count(Type, __VA_ARGS__)
#define MVX_DETAIL_COUNT(...) \
    MVX_DETAIL_COUNT_OF(__VA_ARGS__, 65, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, \
                        46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, \
                        24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define MVX_DETAIL_COUNT_OF(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, \
                            a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, \
                            a35, a36, a37, a38, a39, a40, a41, a42, a43, a44, a45, a46, a47, a48, a49, a50, \
                            a51, a52, a53, a54, a55, a56, a57, a58, a59, a60, a61, a62, a63, a64, a65, count, \
                            ...) count
/* The first argument is the name of the event type, then come the members. */
#define MVX_DETAIL_FIELDS_1(Type, name)
#define MVX_DETAIL_FIELDS_2(Type, name, member) MVX_DETAIL_FIELD(Type, member)
#define MVX_DETAIL_FIELDS_3(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_2(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_4(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_3(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_5(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_4(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_6(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_5(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_7(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_6(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_8(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_7(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_9(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_8(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_10(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_9(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_11(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_10(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_12(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_11(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_13(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_12(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_14(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_13(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_15(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_14(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_16(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_15(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_17(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_16(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_18(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_17(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_19(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_18(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_20(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_19(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_21(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_20(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_22(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_21(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_23(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_22(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_24(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_23(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_25(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_24(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_26(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_25(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_27(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_26(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_28(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_27(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_29(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_28(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_30(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_29(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_31(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_30(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_32(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_31(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_33(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_32(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_34(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_33(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_35(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_34(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_36(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_35(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_37(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_36(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_38(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_37(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_39(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_38(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_40(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_39(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_41(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_40(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_42(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_41(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_43(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_42(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_44(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_43(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_45(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_44(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_46(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_45(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_47(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_46(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_48(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_47(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_49(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_48(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_50(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_49(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_51(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_50(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_52(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_51(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_53(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_52(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_54(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_53(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_55(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_54(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_56(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_55(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_57(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_56(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_58(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_57(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_59(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_58(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_60(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_59(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_61(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_60(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_62(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_61(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_63(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_62(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_64(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_63(Type, name, __VA_ARGS__)
#define MVX_DETAIL_FIELDS_65(Type, name, member, ...) \
    MVX_DETAIL_FIELD(Type, member) MVX_DETAIL_FIELDS_64(Type, name, __VA_ARGS__)

#endif
