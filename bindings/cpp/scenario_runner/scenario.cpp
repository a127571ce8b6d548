/* Plays and clears away one scenario. */
#include "runner.hpp"

Json play_bare(Call &call)
{
    Scenario &scenario = call.scenario;
    Json got;
    {
        std::lock_guard<std::mutex> guard(scenario.lock);
        scenario.active.insert(call.where);
    }
    try {
        got = op_find(call["do"].str())->run(call);
    } catch (const std::exception &broken) {
        fail(scenario, call.where, broken.what());
    }
    std::lock_guard<std::mutex> guard(scenario.lock);
    scenario.active.erase(scenario.active.find(call.where));
    return got;
}

static void play_here(Scenario &scenario, const Json &step, const std::string &where)
{
    Call call{scenario, step, where};
    Json got = play_bare(call);
    if (got)
        compare(call, step["expect"], got);
}

static void play_in_background(Scenario &scenario, const Json &step, const std::string &where)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    Job &job = scenario.jobs[std::string(step["background"].str())];
    if (job.thread.joinable())
        throw Broken("the job's name is taken");
    job.thread = std::thread([&scenario, &job, step, where] {
        play_here(scenario, step, where);
        std::lock_guard<std::mutex> done(scenario.lock);
        job.done = true;
        scenario.changed_.notify_all();
    });
}

static void work(Scenario &scenario, Worker &worker)
{
    std::unique_lock<std::mutex> guard(scenario.lock);
    for (;;) {
        scenario.changed_.wait(guard, [&] { return worker.busy || worker.quit; });
        if (!worker.busy)
            return;
        guard.unlock();
        play_here(scenario, worker.step, worker.where);
        guard.lock();
        worker.busy = false;
        scenario.changed_.notify_all();
    }
}

static void play_on_thread(Scenario &scenario, const Json &step, const std::string &where)
{
    std::unique_lock<std::mutex> guard(scenario.lock);
    Worker &worker = scenario.workers[std::string(step["thread"].str())];
    if (!worker.thread.joinable())
        worker.thread = std::thread([&scenario, &worker] { work(scenario, worker); });
    worker.step = step;
    worker.where = where;
    worker.busy = true;
    scenario.changed_.notify_all();
    scenario.changed_.wait(guard, [&] { return !worker.busy; });
}

void play_steps(Scenario &scenario, const Json &steps, const std::string &within)
{
    std::size_t number = 0;
    for (const Json &step : steps.entries()) {
        /* What follows a failed expectation would only fail for the same reason. */
        if (scenario.failed || scenario.cleaning)
            return;
        std::string where = within + (within.empty() ? "" : ", ") + "step " + std::to_string(++number) + " (" +
                            std::string(step["do"].str()) + ")";
        try {
            if (step["background"])
                play_in_background(scenario, step, where);
            else if (step["thread"])
                play_on_thread(scenario, step, where);
            else
                play_here(scenario, step, where);
        } catch (const Broken &broken) {
            fail(scenario, where, broken.what());
        }
    }
}

/* ---- clearing away ---- */

template <class Act>
static void for_live(Scenario &scenario, Kind kind, Act act)
{
    std::vector<std::uintptr_t> handles;
    {
        std::lock_guard<std::mutex> guard(scenario.lock);
        for (const auto &[name, object] : scenario.objects) {
            if (name.first == kind && object.live)
                handles.push_back(object.handle);
        }
    }
    for (std::uintptr_t handle : handles)
        act(handle);
}

static bool all_dropped(Scenario &scenario)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    for (const Use &use : scenario.uses) {
        if (use.drops == 0)
            return false;
    }
    return true;
}

static void join_threads(Scenario &scenario)
{
    for (auto &[name, job] : scenario.jobs) {
        if (job.thread.joinable())
            job.thread.join();
    }
    for (auto &[name, worker] : scenario.workers) {
        {
            std::lock_guard<std::mutex> guard(scenario.lock);
            worker.quit = true;
            scenario.changed_.notify_all();
        }
        if (worker.thread.joinable())
            worker.thread.join();
    }
}

/* Lets go of everything, whatever the scenario left standing, and sees that every callback object is dropped once. */
static void let_go(Scenario &scenario)
{
    {
        std::lock_guard<std::mutex> guard(scenario.lock);
        scenario.cleaning = true;
        scenario.changed_.notify_all();
    }
    for_live(scenario, Kind::completion, [](std::uintptr_t handle) { (void)mvx::Borrowed<mvx::Completion>(handle)->done(); });
    join_threads(scenario);
    for_live(scenario, Kind::wait, [](std::uintptr_t handle) { (void)mvx::Wait::adopt(handle); });
    for_live(scenario, Kind::runtime, [](std::uintptr_t handle) { (void)mvx::Borrowed<mvx::Runtime>(handle)->shutdown(); });
    for_live(scenario, Kind::recorder, [](std::uintptr_t handle) { (void)mvx::Recorder::adopt(handle); });
    for_live(scenario, Kind::runtime, [](std::uintptr_t handle) { (void)mvx::Runtime::adopt(handle); });
    for_live(scenario, Kind::snapshot,
             [](std::uintptr_t handle) { mvx::Snapshot(reinterpret_cast<mvx_snapshot *>(handle)).reset(); });
    if (scenario.default_runtime_used) {
        if (auto runtime = mvx::Runtime::get_default())
            (void)runtime->shutdown();
    }
    auto end = std::chrono::steady_clock::now() + patience / 2;
    while (!all_dropped(scenario) && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (const Use &use : scenario.uses) {
        if (use.drops == 0)
            fail(scenario, use.key, "its drop was never called");
    }
}

bool scenario_play(const std::string &path, const Json &root, Playing playing)
{
    auto scenario = std::make_unique<Scenario>();
    scenario->path = path;
    scenario->root = root;
    playing(scenario.get());
    try {
        events_declare(*scenario);
        callbacks_make(*scenario);
        play_steps(*scenario, root["steps"], "");
    } catch (const std::exception &broken) {
        fail(*scenario, "declarations", broken.what());
    }
    let_go(*scenario);
    playing(nullptr);
    events_forget(*scenario);
    bool passed = !scenario->failed;
    /* Where a drop is still owed the library may yet call back: better a leak than a call into freed memory. */
    if (!all_dropped(*scenario))
        (void)scenario.release();
    return passed;
}
