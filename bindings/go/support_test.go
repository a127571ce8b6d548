package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"mvx.dev/metrics"
)

// Numbered is an event that most tests make do with.
type Numbered struct {
	Thread uint32
	Number uint32
}

var numbered = metrics.MustDeclareEvent[Numbered]("go.test.numbered")

// counter counts what it sees, and how often the library let go of it.
type counter struct {
	total int64
	drops int32
}

func (c *counter) HandleEvent(*metrics.Event) (bool, error) {
	c.total++
	return true, nil
}

func (c *counter) Snapshot(writer *metrics.Writer) error { return writer.Int("total", c.total) }

func (c *counter) Drop() { atomic.AddInt32(&c.drops, 1) }

// functions is a metric of two functions.
type functions struct {
	handle   func(event *metrics.Event) (bool, error)
	snapshot func(writer *metrics.Writer) error
}

func (f *functions) HandleEvent(event *metrics.Event) (bool, error) { return f.handle(event) }

func (f *functions) Snapshot(writer *metrics.Writer) error {
	if f.snapshot == nil {
		return nil
	}
	return f.snapshot(writer)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// newRuntime is a running runtime that is shut down when the test is over.
func newRuntime(t testing.TB, options *metrics.RuntimeOptions) *metrics.Runtime {
	t.Helper()
	runtime, err := metrics.NewRuntime(options)
	must(t, err)
	must(t, runtime.Start())
	t.Cleanup(func() {
		_ = runtime.Shutdown()
		runtime.Close()
	})
	return runtime
}

func newRecorder(t testing.TB, options *metrics.RecorderOptions) *metrics.Recorder {
	t.Helper()
	recorder, err := newRuntime(t, nil).CreateRecorder("r", options)
	must(t, err)
	t.Cleanup(recorder.Close)
	return recorder
}

// wait waits for an operation that was begun.
func wait(t testing.TB, begun *metrics.Wait, err error) error {
	t.Helper()
	must(t, err)
	defer begun.Close()
	return begun.Wait(patient(t))
}

func start(t testing.TB, recorder *metrics.Recorder) error {
	t.Helper()
	begun, err := recorder.Start()
	return wait(t, begun, err)
}

func stop(t testing.TB, recorder *metrics.Recorder) error {
	t.Helper()
	begun, err := recorder.Stop()
	return wait(t, begun, err)
}

func flush(t testing.TB, recorder *metrics.Recorder) error {
	t.Helper()
	begun, err := recorder.Flush()
	return wait(t, begun, err)
}

func snapshot(t testing.TB, recorder *metrics.Recorder) metrics.Map {
	t.Helper()
	taken, err := recorder.Snapshot(patient(t), metrics.Consistent)
	must(t, err)
	defer taken.Close()
	return taken.Metrics()
}

func wantInt(t testing.TB, got metrics.Map, want int64, keys ...string) {
	t.Helper()
	if value, ok := got.Int(keys...); !ok || value != want {
		t.Fatalf("%v is %v, expected %d", keys, got.Get(keys...), want)
	}
}

func wantError(t testing.TB, err error, want ...error) *metrics.Error {
	t.Helper()
	for _, target := range want {
		if !errors.Is(err, target) {
			t.Fatalf("expected %v, got %v", target, err)
		}
	}
	var known *metrics.Error
	if !errors.As(err, &known) {
		t.Fatalf("%v (%T) is no *metrics.Error", err, err)
	}
	return known
}

// until looks again until it holds.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come: ", what)
		}
	}
}

func sprint(format string, arguments ...any) string { return fmt.Sprintf(format, arguments...) }
