/* Plays the scenario files of tests/scenarios through the C++ binding. The format is described in
   tests/scenarios/README.md; the words used here are the words of that page. */
#ifndef MVX_SCENARIO_RUNNER_HPP
#define MVX_SCENARIO_RUNNER_HPP

#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mvx_metrics.hpp>

#include "json.hpp"

/* How long a step may wait for something that must come. */
inline constexpr std::chrono::seconds patience{20};

struct Scenario;

/* A step can't be played, or what it gave is wrong beyond its expectations. */
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class Kind { runtime, recorder, wait, snapshot, completion };

/* A handle or snapshot under a scenario's name for it. A freed one stays, so that a step can use it once more. */
struct Object {
    std::uintptr_t handle;
    bool live;
};

struct Gate {
    bool open = false;
    long long reached = 0;
};

/* What a callback does at each of its calls. */
struct Script {
    Json behaviours;
    std::size_t calls = 0;
};

struct Event {
    Scenario *scenario;
    std::string key, name; /* the name as declared has the scenario's before it */
    std::vector<mvx::Field> fields;
    std::size_t len;
    mvx::EventType type;
};

/* The state of a scripted metric. It has no lock: the library promises that none is needed, and `owner` checks that. */
struct MetricState {
    std::string key, kind;
    Json config;
    Script handle, snapshot;
    long long total = 0;
    Json by = Json::object(), values = Json::list(), last = Json::null();
    mvx::Nanoseconds first_time{0}, last_time{0};
    std::atomic<std::uintptr_t> owner{0}; /* the thread inside one of its functions */
    int depth = 0;
};

struct HooksState {
    Json config;
    Script on_starting, on_stopped, on_metric_changed;
};

/* One callback object handed to the library. Its record stays until the scenario is over. */
struct Use {
    Scenario *scenario;
    std::string key;
    MetricState *metric; /* of a metric; otherwise nullptr */
    std::atomic<int> drops{0};
};

/* Is owned by the callback object, and so ends with it. */
class DropToken {
public:
    explicit DropToken(Use &use) : use_(use) {}
    DropToken(const DropToken &) = delete;
    ~DropToken();
    Use &use() const { return use_; }

private:
    Use &use_;
};

struct Job {
    std::thread thread;
    bool done = false, joined = false;
};

struct Worker {
    std::thread thread;
    Json step;
    std::string where;
    bool busy = false, quit = false;
};

struct Scenario {
    std::string path; /* as shown: without the folder of all scenarios and .json */
    Json root;
    std::mutex lock;
    std::condition_variable changed_;
    std::atomic<bool> failed{false}, cleaning{false}, default_runtime_used{false};
    std::vector<std::string> journal;
    std::map<std::pair<Kind, std::string>, Object> objects;
    std::map<std::string, Gate> gates;
    std::deque<Event> events;
    std::map<std::string, MetricState> metrics;
    std::map<std::string, HooksState> hooks;
    std::map<std::string, Json> logs;
    std::list<Use> uses;
    std::map<std::string, Job> jobs;
    std::map<std::string, Worker> workers;
    std::map<std::string, mvx::Nanoseconds> marks;
    std::multiset<std::string> active; /* where steps are under way, for the report of a hang */
};

/* A step being played. */
struct Call {
    Scenario &scenario;
    Json step;
    std::string where;

    Json operator[](const char *key) const { return step[key]; }
};

struct Op {
    const char *name;
    const char *keys;  /* what the step may have besides the common keys */
    const char *gives; /* what its `expect` may have besides `status` */
    Json (*run)(Call &call);
};
extern const std::vector<Op> runtime_ops, recorder_ops, event_ops, snapshot_ops, wait_ops, flow_ops;

/* check.cpp */
const Op *op_find(std::string_view name);
bool scenario_check(const std::string &path, const Json &root);
std::string stranger(const Json &object, std::string_view keys, std::string_view more = {}); /* an unknown key */
void only_keys(const Json &object, std::string_view keys, const char *what);
std::string unplayable(const Json &root); /* what this surface can't express; empty: nothing */

/* scenario.cpp */
using Playing = void (*)(Scenario *); /* told who is being played, nullptr: nobody */
bool scenario_play(const std::string &path, const Json &root, Playing playing);
void play_steps(Scenario &scenario, const Json &steps, const std::string &within);
Json play_bare(Call &call); /* the result, not compared with what is expected; nothing where the step broke */

/* report.cpp */
void fail(Scenario &scenario, const std::string &where, const std::string &text);
void compare(Call &call, const Json &expect, const Json &got);
bool stats_match(const Json &expected, const Json &got);

/* journal.cpp */
void journal_add(Scenario &scenario, std::string entry);
Json journal_select(Scenario &scenario, const Json &of);
void gate_pass(Scenario &scenario, const std::string &name);
void gate_open(Scenario &scenario, const std::string &name);
long long gate_reached(Scenario &scenario, const std::string &name);

/* objects.cpp: what steps take and give */
bool object_bind(Scenario &scenario, Kind kind, const std::string &name, std::uintptr_t handle);
void object_freed(Call &call, Kind kind, const char *key);
std::uintptr_t handle_of(Call &call, const char *key, Kind kind);
std::string text_of(const Json &json); /* absent: empty */
std::int64_t int_of(const Json &json, std::int64_t absent = 0);
Json error_json(const mvx::Error *error);
Json result_plain(mvx::Status status);

template <class T>
Json result(const mvx::Result<T> &outcome)
{
    Json got = result_plain(outcome.status());
    got.set("error", error_json(outcome.ok() ? nullptr : &outcome.error()));
    if (!outcome.ok() && (outcome.error().reason().empty() || outcome.error().message().empty()))
        throw Broken("the error has no message or no reason");
    return got;
}

/* What a call that asks for the error that is kept gave. */
Json kept_error_result(const mvx::Result<std::optional<mvx::Error>> &kept);

/* Binds what a call gave under the step's name for it; without a name it is freed at once. */
template <class T>
void give(Call &call, const char *key, Kind kind, T object)
{
    Json name = call[key];
    if (!name.is_text())
        return;
    if (!object_bind(call.scenario, kind, std::string(name.str()), object.handle()))
        throw Broken("the name '" + std::string(name.str()) + "' is taken");
    object.release();
}

struct Name {
    const char *name;
    std::int64_t value;
};
using Names = std::vector<Name>;
extern const Names recorder_states, runtime_states, overflow_policies, metric_error_policies, snapshot_modes,
    metric_kinds, metric_states, operations, field_kinds, filter_ops, value_kinds, log_policies, log_levels;
std::int64_t number_named(const Names &names, const Json &json); /* a number goes as it is */
Json name_of(const Names &names, std::int64_t value);

/* What a call that asks for a state gave. */
template <class State>
Json state_result(const mvx::Result<State> &state, const Names &names)
{
    Json got = result(state);
    if (state)
        got.set("state", name_of(names, static_cast<std::int64_t>(*state)));
    return got;
}
template <class Enum>
Enum value_of(const Names &names, const Json &json)
{
    return static_cast<Enum>(number_named(names, json));
}
template <class Enum>
std::optional<Enum> option_of(const Names &names, const Json &json)
{
    return json ? std::optional(value_of<Enum>(names, json)) : std::nullopt;
}

/* events.cpp */
void events_declare(Scenario &scenario);
void events_forget(Scenario &scenario);
Event *event_keyed(Scenario &scenario, const Json &key); /* nullptr where there is none */
Event *event_typed(Scenario &scenario, mvx::EventType type);
mvx::EventType event_type_of(Scenario &scenario, const Json &event);
std::vector<mvx::EventType> event_types_of(Scenario &scenario, const Json &events);
std::vector<mvx::Field> fields_of(const Json &list, bool natural, std::size_t &len);

struct Payload {
    std::vector<unsigned char> bytes;
    std::size_t len = 0;
    bool null = false;
    const void *data() const { return null ? nullptr : bytes.data(); }
};
Payload payload_of(const Event *event, const Json &json);
Json payload_field(const Event &event, std::string_view field, const void *payload, std::size_t len);
std::string event_show(const Event &event, const void *payload, std::size_t len);

/* callbacks.cpp */
void callbacks_make(Scenario &scenario);
std::shared_ptr<DropToken> use_add(Scenario &scenario, const std::string &key, MetricState *metric = nullptr);
std::shared_ptr<mvx::Metric> metric_use(Scenario &scenario, const Json &key);
Json metric_object(Scenario &scenario, const mvx::Metric *metric, const void *user_data); /* its name here */
mvx::Hooks hooks_use(Scenario &scenario, const Json &key);
mvx::Log log_use(Scenario &scenario, const Json &key);

/* steps_recorder.cpp, for runtime_create_recorder as well */
mvx::RecorderOptions recorder_options_of(Call &call);

#endif
