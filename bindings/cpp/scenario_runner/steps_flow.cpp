/* Steps of the scenario itself: gates, waiting for a condition, the journal, races, and a forked child. */
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "runner.hpp"

static std::string word(Call &call, const char *key)
{
    if (!call[key].is_text())
        throw Broken(std::string("the step needs '") + key + "'");
    return std::string(call[key].str());
}

static Json open_gate(Call &call)
{
    gate_open(call.scenario, word(call, "gate"));
    return Json::object();
}

/* Looks once; `seen` is what there was, for the report. */
static bool condition_holds(Call &call, Json &seen)
{
    if (call["state"]) {
        seen = op_find(call["runtime"] ? "runtime_state" : "recorder_state")->run(call);
        return seen["state"] == call["state"];
    }
    if (call["stats"]) {
        seen = op_find("recorder_stats")->run(call);
        return stats_match(call["stats"], seen["stats"]);
    }
    if (call["gate"]) {
        seen = Json::integer(gate_reached(call.scenario, word(call, "gate")));
        return seen.as_integer() >= int_of(call["reached"], 1);
    }
    if (call["calls"]) {
        seen = journal_select(call.scenario, call["calls"]);
        return static_cast<std::int64_t>(seen.size()) >= int_of(call["count"], 1);
    }
    std::string token = word(call, "completion");
    std::lock_guard<std::mutex> guard(call.scenario.lock);
    auto found = call.scenario.objects.find({Kind::completion, token});
    bool live = found != call.scenario.objects.end() && found->second.live;
    seen = Json::boolean(live);
    return live;
}

static Json wait_until(Call &call)
{
    auto end = std::chrono::steady_clock::now() + patience;
    Json seen;
    while (!condition_holds(call, seen)) {
        if (call.scenario.failed)
            return {};
        if (std::chrono::steady_clock::now() > end)
            throw Broken("it did not come; there is " + seen.dump());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Json::object();
}

static Json calls(Call &call)
{
    Json got = Json::object(), selected = journal_select(call.scenario, call["of"]);
    got.set("count", Json::integer(static_cast<std::int64_t>(selected.size())));
    got.set("calls", selected);
    return got;
}

static Job &job_named(Call &call)
{
    std::lock_guard<std::mutex> guard(call.scenario.lock);
    auto found = call.scenario.jobs.find(word(call, "job"));
    if (found == call.scenario.jobs.end())
        throw Broken("there is no such job");
    return found->second;
}

static Json join(Call &call)
{
    Job &job = job_named(call);
    if (job.joined)
        throw Broken("the job was joined before");
    job.thread.join();
    job.joined = true;
    return Json::object();
}

static Json job(Call &call)
{
    Job &job = job_named(call);
    Json got = Json::object();
    std::lock_guard<std::mutex> guard(call.scenario.lock);
    got.set("done", Json::boolean(job.done));
    return got;
}

static Json pause_step(Call &call)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(int_of(call["ms"])));
    return Json::object();
}

static Json race(Call &call)
{
    std::int64_t count = int_of(call["threads"], 2);
    if (count < 1 || count > 64)
        throw Broken("a race has 1 to 64 threads");
    std::atomic<std::int64_t> ready{0};
    std::vector<Json> results(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (Json &got : results)
        threads.emplace_back([&call, &got, &ready, count] {
            Call one{call.scenario, call["step"], call.where};
            ready++;
            while (ready < count)
                std::this_thread::yield();
            got = play_bare(one);
        });
    for (std::thread &thread : threads)
        thread.join();
    Json statuses = Json::object();
    auto add = [&](const std::string &status, std::int64_t many) {
        statuses.set(status, Json::integer(statuses[status.c_str()].as_integer() + many));
    };
    for (const Json &got : results) {
        if (!got)
            return {};
        for (const auto &[status, many] : got["statuses"].members())
            add(status, many.as_integer());
        if (!got["statuses"] && got["status"])
            add(std::string(got["status"].str()), 1);
    }
    Json got = Json::object();
    got.set("statuses", statuses);
    return got;
}

/* ---- times of events ---- */

static Json mark(Call &call)
{
    auto now = std::chrono::system_clock::now().time_since_epoch();
    std::lock_guard<std::mutex> guard(call.scenario.lock);
    call.scenario.marks[word(call, "as")] = std::chrono::duration_cast<mvx::Nanoseconds>(now);
    return Json::object();
}

static Json event_times(Call &call)
{
    auto metric = call.scenario.metrics.find(word(call, "metric"));
    auto after = call.scenario.marks.find(word(call, "after")), before = call.scenario.marks.find(word(call, "before"));
    if (metric == call.scenario.metrics.end() || after == call.scenario.marks.end() || before == call.scenario.marks.end())
        throw Broken("unknown metric or mark");
    std::chrono::milliseconds tolerance(int_of(call["tolerance_ms"]));
    Json got = Json::object();
    got.set("within", Json::boolean(metric->second.first_time + tolerance >= after->second &&
                                    metric->second.last_time <= before->second + tolerance));
    return got;
}

/* ---- a forked child ---- */

static Json in_fork(Call &call)
{
    int ends[2];
    char verdict = 'f';
    if (pipe(ends) != 0)
        throw Broken("no pipe");
    std::fflush(stdout);
    /* No other thread of the scenario may hold the lock at the moment of the fork: the child has this thread only. */
    call.scenario.lock.lock();
    pid_t child = fork();
    call.scenario.lock.unlock();
    if (child == 0) {
        alarm(static_cast<unsigned>(patience.count()));
        play_steps(call.scenario, call["steps"], call.where);
        verdict = call.scenario.failed ? 'f' : 'p';
        /* Not by the exit code: leak checkers have it their own way. */
        _exit(write(ends[1], &verdict, 1) == 1 ? 0 : 2);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &verdict, 1) != 1)
        verdict = 'f';
    close(ends[0]);
    if (child > 0)
        waitpid(child, nullptr, 0);
    if (verdict != 'p')
        throw Broken("the child failed or hung");
    return Json::object();
}

const std::vector<Op> flow_ops{
    {"open_gate", "gate", "", open_gate},
    {"wait_until", "recorder runtime state stats gate reached calls count completion", "", wait_until},
    {"calls", "of", "calls count", calls},
    {"join", "job", "", join},
    {"job", "job", "done", job},
    {"pause", "ms", "", pause_step},
    {"race", "threads step", "statuses", race},
    {"mark", "as", "", mark},
    {"event_times", "metric after before tolerance_ms", "within", event_times},
    {"in_fork", "steps", "", in_fork},
};
