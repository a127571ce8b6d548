package metrics_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mvx.dev/metrics"
)

func TestGoroutinesByTheThousand(t *testing.T) {
	const goroutines, each = 4000, 50
	recorder := newRecorder(t, &metrics.RecorderOptions{QueueMaxSize: 1 << 20, QueueMaxBytes: 1 << 30})
	must(t, recorder.RegisterMetric("of_go", &counter{}, nil))
	must(t, recorder.RegisterNativeMetric(metrics.NativeMetric{
		Name: "native", Kind: metrics.KindCounter, EventTypes: []metrics.EventType{numbered.Type()},
	}))
	var all sync.WaitGroup
	var refused int64
	for g := 0; g < goroutines; g++ {
		all.Add(1)
		go func(g int) {
			defer all.Done()
			own, err := recorder.Clone()
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			for i := 0; i < each; i++ {
				if numbered.Register(own, Numbered{uint32(g), uint32(i)}) != nil {
					atomic.AddInt64(&refused, 1)
				}
			}
			if g%8 != 0 {
				return
			}
			begun, err := own.Flush()
			if err != nil {
				t.Error(err)
				return
			}
			defer begun.Close()
			if err := begun.Wait(context.Background()); err != nil {
				t.Error(err)
			}
		}(g)
	}
	all.Wait()
	got := snapshot(t, recorder)
	wantInt(t, got, goroutines*each-refused, "of_go", "total")
	wantInt(t, got, goroutines*each-refused, "native", "value")
	if refused > 0 {
		t.Fatalf("%d were refused below the limit", refused)
	}
}

func TestCloseIsSafeAgainstEverybody(t *testing.T) {
	for round := 0; round < 20; round++ {
		recorder, err := metrics.NewRecorder(newRuntime(t, nil), nil)
		must(t, err)
		must(t, recorder.RegisterMetric("m", &counter{}, nil))
		var all sync.WaitGroup
		for g := 0; g < 8; g++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for i := 0; i < 200; i++ {
					_ = numbered.Register(recorder, Numbered{})
					if i%50 == 0 {
						if taken, err := recorder.Snapshot(context.Background(), metrics.Relaxed); err == nil {
							taken.Close()
						}
						_, _ = recorder.State()
					}
				}
			}()
		}
		recorder.Close()
		all.Wait()
		wantError(t, numbered.Register(recorder, Numbered{}), metrics.InvalidHandle)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	round := func() {
		owner, err := metrics.NewRuntime(&metrics.RuntimeOptions{Log: &metrics.Log{Write: func(metrics.LogRecord) {}}})
		must(t, err)
		must(t, owner.Start())
		recorder, err := owner.CreateRecorder("r", &metrics.RecorderOptions{Hooks: &metrics.Hooks{
			OnMetricChanged: func(string, metrics.Metric, *metrics.Event, *metrics.Completion) error { return nil },
		}})
		must(t, err)
		must(t, recorder.RegisterMetric("m", &counter{}, nil))
		batch, err := numbered.Batch(recorder, nil)
		must(t, err)
		must(t, batch.Register(Numbered{}))
		snapshot(t, recorder)
		must(t, batch.Close())
		must(t, flush(t, recorder))
		must(t, owner.Shutdown())
		recorder.Close()
		owner.Close()
	}
	round()
	until(t, "what other tests left", func() bool { return metrics.OwnMetrics() == 0 })
	users, routines := metrics.LiveUsers(), runtime.NumGoroutine()
	for i := 0; i < 100; i++ {
		round()
	}
	until(t, "the drop of everything", func() bool { return metrics.LiveUsers() == users && metrics.OwnMetrics() == 0 })
	until(t, "the end of every goroutine", func() bool {
		time.Sleep(time.Millisecond)
		return runtime.NumGoroutine() <= routines
	})
}
