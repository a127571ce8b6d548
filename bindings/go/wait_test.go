package metrics_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"mvx.dev/metrics"
)

func TestWaitEndsWithItsContext(t *testing.T) {
	gate := make(chan struct{})
	runtime := newRuntime(t, nil)
	recorder, err := metrics.NewRecorder(runtime, &metrics.RecorderOptions{Hooks: &metrics.Hooks{
		OnStarting: func(*metrics.Completion) error { <-gate; return nil },
	}})
	must(t, err)
	defer recorder.Close()
	begun, err := recorder.Start()
	must(t, err)
	defer begun.Close()
	bounded, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := begun.Wait(bounded); err != context.DeadlineExceeded {
		t.Fatalf("expected the error of the context, got %v", err)
	}
	wantError(t, begun.Err(), metrics.NotReady)
	wantError(t, begun.Block(0), metrics.Timeout)
	select {
	case <-begun.Done():
		t.Fatal("it is not over")
	default:
	}
	close(gate)
	<-begun.Done()
	operation, err := begun.Result()
	if operation != metrics.OperationStart || err != nil {
		t.Fatal(operation, err)
	}
	must(t, begun.Wait(patient(t)))
	var completed, dropped int32
	must(t, begun.OnComplete(func(operation metrics.Operation, err error) {
		if operation == metrics.OperationStart && err == nil {
			atomic.AddInt32(&completed, 1)
		}
	}, func() { atomic.AddInt32(&dropped, 1) }))
	if atomic.LoadInt32(&completed) != 1 || atomic.LoadInt32(&dropped) != 1 {
		t.Fatal("of what is over the function is called at once")
	}
}

func TestWaitThatIsClosed(t *testing.T) {
	recorder := newRecorder(t, nil)
	begun, err := recorder.Flush()
	must(t, err)
	begun.Close()
	wantError(t, begun.Wait(patient(t)), metrics.InvalidHandle)
}

func TestCallbackThatWaitsForItself(t *testing.T) {
	recorder := newRecorder(t, nil)
	found := make(chan error, 1)
	must(t, recorder.RegisterMetric("m", &functions{handle: func(*metrics.Event) (bool, error) {
		begun, err := recorder.Stop()
		if err == nil {
			err = begun.Wait(context.Background())
			begun.Close()
		}
		found <- err
		return true, nil
	}}, nil))
	must(t, numbered.Register(recorder, Numbered{}))
	wantError(t, <-found, metrics.WouldDeadlock)
}

func TestHookThatFinishesLater(t *testing.T) {
	tokens := make(chan *metrics.Completion, 1)
	runtime := newRuntime(t, nil)
	recorder, err := metrics.NewRecorder(runtime, &metrics.RecorderOptions{Hooks: &metrics.Hooks{
		OnStarting: func(token *metrics.Completion) error { tokens <- token; return metrics.Pending },
	}})
	must(t, err)
	defer recorder.Close()
	begun, err := recorder.Start()
	must(t, err)
	token := <-tokens
	wantError(t, begun.Err(), metrics.NotReady)
	must(t, token.Done(errors.New("too late")))
	err = wait(t, begun, nil)
	if known := wantError(t, err, metrics.HookFailed, metrics.ReasonOnStartingHookFailed); known.Cause.Message != "too late" {
		t.Fatal(known.Cause)
	}
	wantError(t, token.Done(nil), metrics.InvalidHandle)
}

func TestShutdownIsAwaited(t *testing.T) {
	runtime, err := metrics.NewRuntime(&metrics.RuntimeOptions{Namespace: "go", WorkerThreads: 2})
	must(t, err)
	defer runtime.Close()
	must(t, runtime.Start())
	recorder, err := runtime.CreateRecorder(" r ", nil)
	must(t, err)
	defer recorder.Close()
	if namespace, err := recorder.Namespace(); err != nil || namespace != "go" {
		t.Fatal(namespace, err)
	}
	if id, err := recorder.EntityID(); err != nil || id != "r" {
		t.Fatal(id, err)
	}
	_, err = runtime.GetRecorder("s")
	wantError(t, err, metrics.NotFound, metrics.ReasonRecorderNotFound)
	if none, err := runtime.TryGetRecorder("s"); none != nil || err != nil {
		t.Fatal(none, err)
	}
	begun, err := runtime.ShutdownAsync()
	must(t, wait(t, begun, err))
	if state, err := runtime.State(); err != nil || state != metrics.RuntimeClosed {
		t.Fatal(state, err)
	}
}

func TestLogTellsWhatHappens(t *testing.T) {
	records := make(chan metrics.LogRecord, 100)
	dropped := make(chan struct{})
	runtime := newRuntime(t, nil)
	recorder, err := metrics.NewRecorder(runtime, &metrics.RecorderOptions{EntityID: "spoken", Log: &metrics.Log{
		Write: func(record metrics.LogRecord) { records <- record }, Drop: func() { close(dropped) },
	}})
	must(t, err)
	must(t, start(t, recorder))
	record := <-records
	if record.Event != "metrics_recorder.start.invoke" || record.EntityID != "spoken" || record.Level != metrics.LogInfo {
		t.Fatalf("%+v", record)
	}
	recorder.Close()
	<-dropped
}

func TestCallbacksThatWaitForEachOther(t *testing.T) {
	runtime := newRuntime(t, nil)
	recorders := [2]*metrics.Recorder{}
	both := make(chan struct{}, 2)
	found := make(chan error, 2)
	for i := range recorders {
		i := i
		recorder, err := runtime.CreateRecorder(sprint("r%d", i), nil)
		must(t, err)
		defer recorder.Close()
		recorders[i] = recorder
		must(t, recorder.RegisterMetric("m", &functions{handle: func(*metrics.Event) (bool, error) {
			both <- struct{}{}
			for len(both) < 2 {
				time.Sleep(time.Millisecond)
			}
			begun, err := recorders[1-i].Flush()
			if err == nil {
				err = begun.Wait(context.Background())
				begun.Close()
			}
			found <- err
			return true, nil
		}}, nil))
	}
	for _, recorder := range recorders {
		must(t, numbered.Register(recorder, Numbered{}))
	}
	// One of the two is told; then the other one's wait ends.
	first, second := <-found, <-found
	if (first == nil) == (second == nil) {
		t.Fatalf("%v and %v", first, second)
	}
	if first == nil {
		first = second
	}
	wantError(t, first, metrics.WouldDeadlock)
}
