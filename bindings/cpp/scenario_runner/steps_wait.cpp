/* Steps on wait handles and on the tokens of pending hooks. */
#include <poll.h>

#include "runner.hpp"

static mvx::Borrowed<mvx::Wait> wait_of(Call &call)
{
    return mvx::Borrowed<mvx::Wait>(handle_of(call, "wait", Kind::wait));
}

static Json wait_block(Call &call)
{
    mvx::Nanoseconds limit = call["timeout_ms"] ? std::chrono::milliseconds(int_of(call["timeout_ms"])) : patience;
    return result_plain(wait_of(call)->block(limit));
}

static Json wait_result(Call &call)
{
    mvx::OperationResult outcome = wait_of(call)->result();
    Json got = result(outcome);
    if (outcome.operation)
        got.set("operation", name_of(operations, static_cast<std::int64_t>(*outcome.operation)));
    return got;
}

static Json wait_on_complete(Call &call)
{
    if (!call["callback"].is_text())
        throw Broken("the step needs 'callback'");
    struct Called {
        std::mutex lock;
        std::optional<std::thread::id> by;
    };
    auto called = std::make_shared<Called>();
    mvx::Status status = wait_of(call)->on_complete(
        [called, steps = call["steps"],
         token = use_add(call.scenario, std::string(call["callback"].str()))](const mvx::OperationResult &outcome) {
            Scenario &scenario = *token->use().scenario;
            const std::string &key = token->use().key;
            journal_add(scenario,
                        key + ".complete " +
                            std::string(name_of(operations, static_cast<std::int64_t>(*outcome.operation)).str()) + " " +
                            to_string(outcome.status()));
            play_steps(scenario, steps, "in " + key + ".complete");
            std::lock_guard<std::mutex> guard(called->lock);
            called->by = std::this_thread::get_id();
        });
    Json got = result_plain(status);
    std::lock_guard<std::mutex> guard(called->lock);
    got.set("called", Json::boolean(called->by == std::this_thread::get_id()));
    return got;
}

static Json wait_fd(Call &call)
{
    auto wait = wait_of(call);
    auto fd = wait->fd();
    Json got = result(fd);
    if (fd) {
        pollfd watched{*fd, POLLIN, 0};
        int ready = poll(&watched, 1, static_cast<int>(int_of(call["timeout_ms"])));
        got.set("readable", Json::boolean(ready == 1 && (watched.revents & POLLIN) != 0));
    }
    return got;
}

static Json wait_free(Call &call)
{
    std::uintptr_t handle = handle_of(call, "wait", Kind::wait);
    object_freed(call, Kind::wait, "wait");
    (void)mvx::Wait::adopt(handle);
    return Json::object();
}

static Json completion_done(Call &call)
{
    mvx::Borrowed<mvx::Completion> completion(handle_of(call, "completion", Kind::completion));
    object_freed(call, Kind::completion, "completion");
    return result_plain(call["fail"] ? completion->fail(text_of(call["fail"])) : completion->done());
}

const std::vector<Op> wait_ops{
    {"wait_block", "wait timeout_ms", "", wait_block},
    {"wait_result", "wait null_out", "error operation", wait_result},
    {"wait_on_complete", "wait callback steps", "called", wait_on_complete},
    {"wait_fd", "wait timeout_ms null_out", "readable", wait_fd},
    {"wait_free", "wait", "", wait_free},
    {"completion_done", "completion fail", "", completion_done},
};
