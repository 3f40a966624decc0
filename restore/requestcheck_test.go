package restore

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// TestBadRequests checks that each bad request gives an error in words before anything is computed.
func TestBadRequests(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	good := randomPicture(rnd, 6, 5)
	nan, inf := *good, *good
	nan.Pix = append([]float32(nil), good.Pix...)
	nan.Pix[rnd.IntN(len(nan.Pix))] = float32(math.NaN())
	inf.Pix = append([]float32(nil), good.Pix...)
	inf.Pix[rnd.IntN(len(inf.Pix))] = float32(math.Inf(-1))
	short := *good
	short.Pix = short.Pix[1:]
	all := make([]bool, 30)
	for i := range all {
		all[i] = true
	}
	for _, c := range []struct {
		field string
		pic   *picture.Picture
		req   Request
	}{
		{"picture", nil, Request{}},
		{"picture", &nan, Request{}},
		{"picture", &inf, Request{}},
		{"picture", &short, Request{}},
		{"picture", &picture.Picture{}, Request{}},
		{"mask", good, Request{Task: task.Inpaint}},
		{"mask", good, Request{Task: task.InpaintBox, Mask: make([]bool, 29)}},
		{"mask", good, Request{Task: task.InpaintRandom, Mask: all}},
		{"mask", good, Request{Task: task.Denoise, Mask: make([]bool, 30)}},
		{"range", good, Request{Below: -1}},
		{"range", good, Request{Above: float32(math.NaN())}},
		{"noise", good, Request{Noise: math.NaN()}},
		{"noise", good, Request{Noise: math.Inf(1)}},
		{"noise", good, Request{Noise: math.Inf(-1)}},
		{"samples", good, Request{Samples: -1}},
		{"samples", good, Request{Samples: MaxSamples + 1}},
		{"samples", good, Request{Samples: math.MaxInt32, StatisticsOnly: true}},
		{"samples", good, Request{Samples: math.MaxInt}},
		{"steps", good, Request{Steps: -1}},
		{"steps", good, Request{Steps: maxSteps + 1}},
		{"times", good, Request{Times: []float64{}}},
		{"times", good, Request{Times: []float64{1}}},
		{"times", good, Request{Times: []float64{1, 0.5, 0}, Steps: 3}},
		{"times", good, Request{Times: []float64{0.9, 0}}},
		{"times", good, Request{Times: []float64{1, 0.1}}},
		{"times", good, Request{Times: []float64{1, 0.5, 0.5, 0}}},
		{"times", good, Request{Times: []float64{1, math.NaN(), 0}}},
		{"ensemble", good, Request{Ensemble: -1}},
		{"ensemble", good, Request{Ensemble: 3}},
		{"ensemble", good, Request{Ensemble: 16}},
		{"noise", good, Request{Ensemble: 8, Noise: math.NaN()}},
		{"project", good, Request{Task: task.MotionDeblur, Project: true}},
		{"project", good, Request{Task: task.SuperResolve, Project: true}},
		{"temperature", good, Request{Temperature: -0.1}},
		{"temperature", good, Request{Temperature: math.NaN()}},
		{"temperature", good, Request{Temperature: math.Inf(1)}},
	} {
		c.req.Progress = func(int, int) { t.Errorf("%s: something was computed", c.field) }
		r, err := m.Restore(context.Background(), c.pic, c.req)
		var bad *RequestError
		if !errors.As(err, &bad) || bad.Field != c.field || r != nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	var unknown *task.UnknownTaskError
	for _, what := range []task.Task{-1, 7, 100} {
		if _, err := m.Restore(context.Background(), good, Request{Task: what}); !errors.As(err, &unknown) {
			t.Errorf("task %d: %v", int(what), err)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	net := tinyNetwork(t, tinyConfig(), 1)
	var bad *ConfigError
	for _, cfg := range []Config{{Network: net, Tile: -1}, {Network: net, Margin: -2}, {Network: net, Margin: 1 << 30}} {
		if _, err := Open(cfg); !errors.As(err, &bad) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	if _, err := Open(Config{Weights: t.TempDir() + "/none.vfm"}); err == nil || !strings.Contains(err.Error(), "none.vfm") {
		t.Errorf("no such file: %v", err)
	}
	if _, err := Open(Config{Network: net, Device: "no such device"}); err == nil || !strings.Contains(err.Error(), "no such device") {
		t.Errorf("no such device: %v", err)
	}
}
