/* Steps on runtimes. */
#include "runner.hpp"

using mvx::Borrowed;
using mvx::Runtime;

static Borrowed<Runtime> runtime_of(Call &call) { return Borrowed<Runtime>(handle_of(call, "runtime", Kind::runtime)); }

static std::optional<mvx::Nanoseconds> milliseconds_of(const Json &json)
{
    return json ? std::optional<mvx::Nanoseconds>(std::chrono::milliseconds(int_of(json))) : std::nullopt;
}

static std::optional<std::int64_t> integer_option(const Json &json)
{
    return json ? std::optional(int_of(json)) : std::nullopt;
}

/* In a scope of its own, so that nothing here still holds the callbacks when the step ends. */
static mvx::Result<Runtime> create(Call &call)
{
    Json json = call["options"];
    if (!json)
        return Runtime::create();
    only_keys(json, "name_space recorder_queue_max_size recorder_queue_max_bytes recorder_overflow_policy worker_threads "
                    "shutdown_timeout_ms thread_name_prefix log", "options");
    mvx::RuntimeOptions options;
    options.name_space = text_of(json["name_space"]);
    options.thread_name_prefix = text_of(json["thread_name_prefix"]);
    options.recorder_queue_max_size = integer_option(json["recorder_queue_max_size"]);
    options.recorder_queue_max_bytes = integer_option(json["recorder_queue_max_bytes"]);
    options.recorder_overflow_policy = option_of<mvx::OverflowPolicy>(overflow_policies, json["recorder_overflow_policy"]);
    if (json["worker_threads"])
        options.worker_threads = static_cast<std::uint32_t>(int_of(json["worker_threads"]));
    options.shutdown_timeout = milliseconds_of(json["shutdown_timeout_ms"]);
    if (json["log"])
        options.log = log_use(call.scenario, json["log"]);
    return Runtime::create(options);
}

/* The result of a call that gives a handle, which goes to the step's name for it. */
template <class T>
static Json giving(Call &call, Kind kind, mvx::Result<T> made, const char *key = "as")
{
    Json got = result(made);
    if (made)
        give(call, key, kind, std::move(*made));
    return got;
}

static Json runtime_create(Call &call) { return giving(call, Kind::runtime, create(call)); }

static Json runtime_default(Call &call)
{
    call.scenario.default_runtime_used = true;
    return giving(call, Kind::runtime, Runtime::get_default());
}

static Json runtime_clone(Call &call) { return giving(call, Kind::runtime, runtime_of(call)->clone()); }
static Json runtime_start(Call &call) { return result(runtime_of(call)->start()); }
static Json runtime_shutdown(Call &call) { return result(runtime_of(call)->shutdown()); }

static Json runtime_shutdown_async(Call &call)
{
    return giving(call, Kind::wait, runtime_of(call)->shutdown_async(), "wait");
}

static Json runtime_state(Call &call) { return state_result(runtime_of(call)->state(), runtime_states); }
static Json runtime_last_error(Call &call) { return kept_error_result(runtime_of(call)->last_error()); }

static mvx::Result<mvx::Recorder> create_recorder(Call &call)
{
    return runtime_of(call)->create_recorder(text_of(call["id"]), recorder_options_of(call));
}

static Json runtime_create_recorder(Call &call) { return giving(call, Kind::recorder, create_recorder(call)); }

static Json runtime_get_recorder(Call &call)
{
    return giving(call, Kind::recorder, runtime_of(call)->get_recorder(text_of(call["id"])));
}

static Json runtime_try_get_recorder(Call &call)
{
    auto found = runtime_of(call)->try_get_recorder(text_of(call["id"]));
    Json got = result(found);
    got.set("found", Json::boolean(found && found->has_value()));
    if (found && *found)
        give(call, "as", Kind::recorder, std::move(**found));
    return got;
}

static Json runtime_list_recorder_ids(Call &call)
{
    auto ids = runtime_of(call)->list_recorder_ids();
    Json got = result(ids), list = Json::list();
    if (ids) {
        for (const std::string &id : *ids)
            list.add(Json::text(id));
        got.set("ids", list);
    }
    return got;
}

static Json runtime_stop_recorder(Call &call) { return result(runtime_of(call)->stop_recorder(text_of(call["id"]))); }

static Json runtime_stop_and_remove_recorder(Call &call)
{
    return giving(call, Kind::recorder, runtime_of(call)->stop_and_remove_recorder(text_of(call["id"])));
}

static Json runtime_free(Call &call)
{
    std::uintptr_t handle = handle_of(call, "runtime", Kind::runtime);
    object_freed(call, Kind::runtime, "runtime");
    (void)Runtime::adopt(handle);
    return Json::object();
}

const std::vector<Op> runtime_ops{
    {"runtime_create", "options as", "error", runtime_create},
    {"runtime_default", "as", "error", runtime_default},
    {"runtime_clone", "runtime as", "", runtime_clone},
    {"runtime_start", "runtime", "error", runtime_start},
    {"runtime_shutdown", "runtime", "error", runtime_shutdown},
    {"runtime_shutdown_async", "runtime wait", "error", runtime_shutdown_async},
    {"runtime_state", "runtime null_out", "state", runtime_state},
    {"runtime_last_error", "runtime null_out", "error", runtime_last_error},
    {"runtime_create_recorder", "runtime id options as", "error", runtime_create_recorder},
    {"runtime_get_recorder", "runtime id as", "error", runtime_get_recorder},
    {"runtime_try_get_recorder", "runtime id as", "error found", runtime_try_get_recorder},
    {"runtime_list_recorder_ids", "runtime null_out", "error ids", runtime_list_recorder_ids},
    {"runtime_stop_recorder", "runtime id", "error", runtime_stop_recorder},
    {"runtime_stop_and_remove_recorder", "runtime id as", "error", runtime_stop_and_remove_recorder},
    {"runtime_free", "runtime", "", runtime_free},
};
