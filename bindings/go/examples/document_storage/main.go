// Counts the attempts to save a document.
//
// The storage says what happened: an attempt to save, its outcome, its duration. It knows no counter. A metric decides
// what an attempt means to it; the recorder hands it the events on a thread of its own.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"mvx.dev/metrics"
)

// SaveAttempt is what the storage reports.
type SaveAttempt struct {
	Outcome metrics.Symbol
	Seconds float64
}

var (
	saveAttempt = metrics.MustDeclareEvent[SaveAttempt]("document_storage.save.attempt")
	success     = metrics.MustIntern("success")
	failure     = metrics.MustIntern("failure")
)

// SaveCounts is what the metric makes of it. It needs no lock: a recorder calls its metrics one at a time.
type SaveCounts struct{ total, successTotal, failureTotal uint64 }

// HandleEvent counts an attempt.
func (c *SaveCounts) HandleEvent(event *metrics.Event) (changed bool, err error) {
	attempt, ok := saveAttempt.Of(event)
	if !ok {
		return false, nil
	}
	c.total++
	if attempt.Outcome == success {
		c.successTotal++
	} else {
		c.failureTotal++
	}
	return true, nil
}

// Snapshot writes the counts.
func (c *SaveCounts) Snapshot(writer *metrics.Writer) error {
	writer.Uint("total", c.total)
	writer.Uint("success_total", c.successTotal)
	return writer.Uint("failure_total", c.failureTotal)
}

const metric = "document_storage.save.attempts"

func run() error {
	// The runtime owns the threads. A recorder that it creates is running already.
	runtime, err := metrics.NewRuntime(nil)
	if err != nil {
		return err
	}
	defer runtime.Close()
	if err := runtime.Start(); err != nil {
		return err
	}
	recorder, err := runtime.CreateRecorder("document_storage", nil)
	if err != nil {
		return err
	}
	defer recorder.Close()
	if err := recorder.RegisterMetric(metric, &SaveCounts{}, nil); err != nil {
		return err
	}

	for _, attempt := range []SaveAttempt{{success, 0.012}, {failure, 1.5}, {success, 0.009}} {
		if err := saveAttempt.Register(recorder, attempt); err != nil {
			return err
		}
	}

	// Shows every event registered so far, and waits for them: a second at most.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	snapshot, err := recorder.Snapshot(ctx, metrics.Consistent)
	if err != nil {
		return err
	}
	saved := snapshot.Metric(metric)
	fmt.Printf("{\"total\": %d, \"success_total\": %d, \"failure_total\": %d}\n",
		saved.Get("total"), saved.Get("success_total"), saved.Get("failure_total"))

	return runtime.Shutdown()
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
