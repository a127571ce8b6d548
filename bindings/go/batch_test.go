package metrics_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mvx.dev/metrics"
)

// held is a batch that nothing but what the test does sends.
func held(t testing.TB, recorder *metrics.Recorder) *metrics.Batch[Numbered] {
	t.Helper()
	batch, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxDelay: time.Hour})
	must(t, err)
	return batch
}

func accepted(t testing.TB, recorder *metrics.Recorder) uint64 {
	t.Helper()
	stats, err := recorder.Stats()
	must(t, err)
	return stats.Accepted
}

func TestBatchIsBoundedByCount(t *testing.T) {
	recorder := newRecorder(t, nil)
	batch, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxEvents: 4, MaxDelay: time.Hour})
	must(t, err)
	for i := 0; i < 3; i++ {
		must(t, batch.Register(Numbered{}))
	}
	if got := accepted(t, recorder); got != 0 || batch.Stats().Held != 3 {
		t.Fatalf("%d were sent, %d are held", got, batch.Stats().Held)
	}
	must(t, batch.Register(Numbered{}))
	if got := accepted(t, recorder); got != 4 || batch.Stats().Held != 0 || batch.Stats().Sent != 4 {
		t.Fatalf("%d were sent, %d are held", got, batch.Stats().Held)
	}
	one, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxEvents: 1, MaxDelay: time.Hour})
	must(t, err)
	must(t, one.Register(Numbered{}))
	if got := accepted(t, recorder); got != 5 {
		t.Fatalf("a batch of one was not sent: %d", got)
	}
	must(t, one.Close())
	must(t, batch.Close())
}

func TestBatchIsBoundedByTime(t *testing.T) {
	recorder := newRecorder(t, nil)
	batch, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxDelay: 5 * time.Millisecond})
	must(t, err)
	for round := uint64(1); round <= 3; round++ {
		must(t, batch.Register(Numbered{}))
		until(t, "the batch in time", func() bool { return accepted(t, recorder) == round })
	}
	must(t, batch.Close())
}

func TestBatchIsSentBeforeWhateverLooks(t *testing.T) {
	runtime := newRuntime(t, nil)
	recorder, err := runtime.CreateRecorder("r", nil)
	must(t, err)
	defer recorder.Close()
	must(t, recorder.RegisterMetric("m", &counter{}, nil))
	batch := held(t, recorder)
	other, err := runtime.GetRecorder("r") // another handle of the same recorder
	must(t, err)
	total := int64(0)
	for name, look := range map[string]func() error{
		"snapshot":         func() error { snapshot(t, recorder); return nil },
		"another handle's": func() error { snapshot(t, other); return nil },
		"flush":            func() error { return flush(t, recorder) },
		"flush, no wait":   recorder.FlushNoWait,
		"stop":             func() error { return stop(t, recorder) },
		"stop of runtime":  func() error { return runtime.StopRecorder("r") },
	} {
		must(t, batch.Register(Numbered{}))
		total++
		must(t, look())
		if got := accepted(t, recorder); got != uint64(total) {
			t.Fatalf("%s: %d of %d were sent", name, got, total)
		}
		if state, err := recorder.State(); err == nil && state == metrics.RecorderStopped {
			must(t, start(t, recorder))
		}
	}
	must(t, flush(t, recorder))
	wantInt(t, snapshot(t, recorder), total, "m", "total")

	must(t, batch.Register(Numbered{}))
	other.Close()
	if got := accepted(t, recorder); got != uint64(total+1) {
		t.Fatal("closing a handle did not send the batch")
	}
	must(t, batch.Register(Numbered{}))
	must(t, runtime.Shutdown())
	stats, err := recorder.Stats()
	must(t, err)
	if stats.Dispatched != uint64(total+2) {
		t.Fatalf("shutdown dispatched %d of %d", stats.Dispatched, total+2)
	}
	must(t, batch.Close())
}

func TestBatchThatIsRefusedIsCounted(t *testing.T) {
	recorder := newRecorder(t, nil)
	var told int64
	batch, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxEvents: 8, MaxDelay: time.Hour,
		OnLost: func(count int, err error) {
			if errors.Is(err, metrics.InvalidState) {
				atomic.AddInt64(&told, int64(count))
			}
		}})
	must(t, err)
	must(t, batch.Register(Numbered{}))
	must(t, stop(t, recorder))
	for i := 0; i < 7; i++ {
		must(t, batch.Register(Numbered{}))
	}
	wantError(t, batch.Register(Numbered{}), metrics.InvalidState) // the eighth sends them
	stats := batch.Stats()
	if stats.Sent != 1 || stats.Refused != 8 || stats.Held != 0 || stats.Dropped != 0 || atomic.LoadInt64(&told) != 8 {
		t.Fatalf("%+v, told of %d", stats, told)
	}
	wantError(t, stats.Err, metrics.InvalidState)
	err = batch.Close()
	wantError(t, err, metrics.InvalidState)
	var lost *metrics.BatchError
	if !errors.As(err, &lost) || lost.Refused != 8 {
		t.Fatal(err)
	}
	must(t, batch.Close())
	wantError(t, batch.Register(Numbered{}), metrics.InvalidHandle)
}

func TestBatchOverThePendingLimit(t *testing.T) {
	for policy, want := range map[metrics.OverflowPolicy]metrics.BatchStats{
		metrics.OverflowDrop:       {Sent: 10, Dropped: 90},
		metrics.OverflowRaiseError: {Sent: 10, Refused: 90},
	} {
		recorder := newRecorder(t, &metrics.RecorderOptions{QueueMaxSize: 10, OverflowPolicy: policy})
		gate := make(chan struct{})
		must(t, recorder.RegisterMetric("m", &functions{handle: func(*metrics.Event) (bool, error) {
			<-gate
			return true, nil
		}}, nil))
		batch := held(t, recorder)
		for i := 0; i < 100; i++ {
			must(t, batch.Register(Numbered{}))
		}
		err := batch.Send()
		if want.Refused > 0 {
			wantError(t, err, metrics.QueueOverflow)
		} else {
			must(t, err)
		}
		stats := batch.Stats()
		if stats.Sent != want.Sent || stats.Dropped != want.Dropped || stats.Refused != want.Refused {
			t.Fatalf("policy %d: %+v", policy, stats)
		}
		recorderStats, err := recorder.Stats()
		must(t, err)
		if recorderStats.Dropped != want.Dropped || recorderStats.Accepted != 10 {
			t.Fatalf("policy %d: the recorder counts %+v", policy, recorderStats)
		}
		close(gate)
		if err := batch.Close(); (err != nil) != (want.Refused > 0) {
			t.Fatal(err)
		}
	}
}

func TestBatchKeepsOrderAndLosesNothingUnderManyGoroutines(t *testing.T) {
	const goroutines, each = 8, 20000
	recorder := newRecorder(t, &metrics.RecorderOptions{OverflowPolicy: metrics.OverflowBlock, BlockTimeout: time.Minute})
	next := [goroutines + 1]uint32{}
	must(t, recorder.RegisterMetric("m", &functions{handle: func(event *metrics.Event) (bool, error) {
		number, _ := numbered.Of(event)
		if number.Thread < goroutines && next[number.Thread] != number.Number {
			return false, errors.New(sprint("%d came for %d", number.Number, next[number.Thread]))
		}
		next[number.Thread]++
		return true, nil
	}, snapshot: func(writer *metrics.Writer) error {
		total := int64(0)
		for _, count := range next {
			total += int64(count)
		}
		return writer.Int("total", total)
	}}, nil))
	shared, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxDelay: time.Millisecond})
	must(t, err)
	var all sync.WaitGroup
	var handedOn sync.Mutex
	for g := 0; g < goroutines; g++ {
		own, err := numbered.Batch(recorder, &metrics.BatchOptions{MaxEvents: 100, MaxDelay: time.Millisecond})
		must(t, err)
		all.Add(1)
		go func(g int) {
			defer all.Done()
			for i := 0; i < each; i++ {
				if err := own.Register(Numbered{uint32(g), uint32(i)}); err != nil {
					t.Error(err)
				}
				handedOn.Lock() // a batch may change hands
				if err := shared.Register(Numbered{goroutines, 0}); err != nil {
					t.Error(err)
				}
				handedOn.Unlock()
				if i%5000 == 0 {
					snapshot(t, recorder)
				}
			}
			if err := own.Close(); err != nil {
				t.Error(err)
			}
		}(g)
	}
	all.Wait()
	// Nothing was closed or flushed of the shared one: the snapshot does it.
	wantInt(t, snapshot(t, recorder), 2*goroutines*each, "m", "total")
	must(t, shared.Close())
}

func TestSnapshotInsideACallbackDoesNotHangOnABatch(t *testing.T) {
	recorder := newRecorder(t, &metrics.RecorderOptions{QueueMaxSize: 4, OverflowPolicy: metrics.OverflowBlock,
		BlockTimeout: 20 * time.Second})
	var batch *metrics.Batch[Numbered]
	sending := make(chan struct{})
	looked := make(chan error, 100)
	must(t, recorder.RegisterMetric("m", &functions{handle: func(*metrics.Event) (bool, error) {
		<-sending
		taken, err := recorder.Snapshot(patient(t), metrics.Consistent)
		if err == nil {
			taken.Close()
		}
		looked <- err
		return true, nil
	}}, nil))
	batch = held(t, recorder)
	for i := 0; i < 20; i++ {
		must(t, batch.Register(Numbered{}))
	}
	began := time.Now()
	time.AfterFunc(50*time.Millisecond, func() { close(sending) })
	must(t, batch.Send()) // waits for room, which the metric makes while it looks
	must(t, flush(t, recorder))
	if took := time.Since(began); took > 10*time.Second {
		t.Fatalf("it took %v", took)
	}
	for i := 0; i < 20; i++ {
		must(t, <-looked)
	}
	must(t, batch.Close())
}

func TestBadBatchOptions(t *testing.T) {
	recorder := newRecorder(t, nil)
	for _, options := range []metrics.BatchOptions{{MaxEvents: -1}, {MaxEvents: 1 << 20}, {MaxDelay: -1}} {
		_, err := numbered.Batch(recorder, &options)
		wantError(t, err, metrics.InvalidArgument)
	}
	_, err := numbered.Batch(metrics.RecorderFromHandle(12345), nil)
	wantError(t, err, metrics.InvalidHandle)
	_, err = numbered.Batch(nil, nil)
	wantError(t, err, metrics.InvalidHandle)
}
