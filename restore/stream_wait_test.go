package restore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// With a context that is done, Submit still accepts a frame if there is room, and Receive still
// returns one that is ready. Otherwise they return the context's error.
func TestStreamWithoutTime(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	rgb := frame.Format{Kind: frame.RGB}
	const frames = 20
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 16, H: 16, In: rgb, Out: rgb, InFlight: frames})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if _, err := s.Next(over); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("there is no frame: %v", err)
	}
	data := make([]byte, s.InSize())
	for i := range frames {
		if err := s.Submit(over, data); err != nil {
			t.Fatalf("there is room for frame %d: %v", i, err)
		}
	}
	if err := s.Submit(over, data); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("there is no room: %v", err)
	}
	s.End()
	s.worker.Wait() // all are ready
	for i := range frames {
		if info, err := s.Receive(over, data); err != nil || info.Index != int64(i) {
			t.Fatalf("frame %d is ready, and comes as %+v: %v", i, info, err)
		}
	}
}
