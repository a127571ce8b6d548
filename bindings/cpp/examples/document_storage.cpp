/* Counts the attempts to save a document.
 *
 * The storage says what happened: an attempt to save, its outcome, its duration. It knows no counter. A metric
 * decides what an attempt means to it; the recorder hands it the events on a thread of its own. */

#include <cstdio>

#include <mvx_metrics.hpp>

/* What the storage reports. */
struct SaveAttempt {
    mvx::Symbol outcome;
    double seconds;
};
MVX_EVENT(SaveAttempt, "document_storage.save.attempt", outcome, seconds);

/* What the metric makes of it. It needs no lock: a recorder calls its metrics one at a time. */
class SaveCounts : public mvx::MetricOf<SaveAttempt> {
public:
    explicit SaveCounts(mvx::Symbol success) : success_(success) {}

    mvx::Handled handle(const SaveAttempt &attempt) override
    {
        total_++;
        (attempt.outcome == success_ ? success_total_ : failure_total_)++;
        return mvx::changed;
    }

    mvx::Outcome snapshot(mvx::Writer &writer) override
    {
        writer.set("total", total_);
        writer.set("success_total", success_total_);
        writer.set("failure_total", failure_total_);
        return mvx::done;
    }

private:
    mvx::Symbol success_;
    unsigned long total_ = 0, success_total_ = 0, failure_total_ = 0;
};

int main()
try {
    const mvx::Symbol success = mvx::intern("success").value(), failure = mvx::intern("failure").value();

    /* The runtime owns the threads. A recorder that it creates is running already. */
    auto runtime = mvx::Runtime::create().value();
    runtime.start().value();
    auto recorder = runtime.create_recorder("document_storage").value();
    recorder.register_metric("document_storage.save.attempts", std::make_shared<SaveCounts>(success)).value();

    mvx::check(recorder.register_event(SaveAttempt{success, 0.012}));
    mvx::check(recorder.register_event(SaveAttempt{failure, 1.5}));
    mvx::check(recorder.register_event(SaveAttempt{success, 0.009}));

    /* Shows every event registered so far, and waits for them. */
    auto snapshot = recorder.snapshot().value();
    mvx::Value saved = snapshot["document_storage.save.attempts"];
    std::printf("{\"total\": %llu, \"success_total\": %llu, \"failure_total\": %llu}\n",
                static_cast<unsigned long long>(saved["total"].as_u64().value()),
                static_cast<unsigned long long>(saved["success_total"].as_u64().value()),
                static_cast<unsigned long long>(saved["failure_total"].as_u64().value()));

    runtime.shutdown().value();
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
