package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/vfmrestore/restore/restore/foreign"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/trainhost/features"
)

// evalMore is what eval does with the pictures besides its own scores: features of a network, and
// folders for other programs.
type evalMore struct {
	path, weights, export string
	pictures              foreign.Range // of the network's input
	net                   features.Network
	collector             *features.Collector
}

func (e *evalMore) flags(fs *flag.FlagSet) {
	fs.StringVar(&e.path, "features", "", "also compare features of this network: Fréchet distance, MMD, LPIPS's formula and, with -samples, CRPS. An ONNX model with one input [1,3,H,W] (its last output is averaged over sites), or a .vfm file (the adapter's mean)")
	fs.Func("features-range", "range of the pictures of the ONNX model: 0..1, 0..255, -1..1 or auto (default: what its metadata say, else 0..1)", func(s string) (err error) {
		e.pictures, err = foreign.ParseRange(s)
		return err
	})
	fs.StringVar(&e.weights, "features-weights", "", "JSON file with the weights of LPIPS's channels: {\"output\": [1, 0.5, …]} (default: 1)")
	fs.StringVar(&e.export, "export", "", "write the pictures to this new folder, for programs that compare folders: reference, input/TASK, restored/TASK, samples/TASK")
}

// check refuses flags that do not go together.
func (e *evalMore) check(cfg trainhost.EvalConfig, levin bool) error {
	switch {
	case e.path == "" && (e.weights != "" || e.pictures != foreign.AutoRange):
		return errors.New("eval: -features-weights and -features-range need -features")
	case e.path != "" && cfg.Limit == 1:
		return errors.New("eval: -features compares sets of pictures: two pictures are needed, and -limit is 1")
	case levin && (e.path != "" || e.export != ""):
		return errors.New("eval: -features and -export need -data or -pairs")
	case e.export != "" && cfg.Camera != "" && len(cfg.Tasks) != 1:
		return errors.New("eval: -export with -camera needs -tasks denoise: only its pictures have other references")
	}
	return nil
}

// open opens the network and the folder.
func (e *evalMore) open(cfg *trainhost.EvalConfig, open features.Config) (err error) {
	var folders *trainhost.Folders
	if e.path != "" {
		open.Path, open.Range = e.path, e.pictures
		var weights map[string][]float64
		if e.weights != "" {
			b, err := os.ReadFile(e.weights)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(b, &weights); err != nil {
				return fmt.Errorf("%s: weights are {\"output\": [numbers]}: %w", e.weights, err)
			}
		}
		if e.net, err = features.Open(open); err != nil {
			return err
		}
		if e.collector, err = features.NewCollector(e.net, weights); err != nil {
			e.close()
			return fmt.Errorf("%s: %w", e.weights, err)
		}
	}
	if e.export != "" {
		if folders, err = trainhost.NewFolders(e.export); err != nil {
			e.close()
			return fmt.Errorf("-export: %w", err)
		}
	}
	if e.collector == nil && folders == nil {
		return nil
	}
	cfg.Seen = func(ctx context.Context, v *trainhost.Evaluated) error {
		if e.collector != nil {
			if err := e.collector.Add(ctx, v.Task.String(), v.Truth, v.Input, v.Mode, v.Samples, !v.Fresh); err != nil {
				return fmt.Errorf("features: %w", err)
			}
		}
		if folders != nil {
			return folders.Add(v)
		}
		return nil
	}
	return nil
}

func (e *evalMore) close() {
	if e.net != nil {
		e.net.Close()
	}
}

// scores are those of the features; nil without a network.
func (e *evalMore) scores() ([]features.Score, error) {
	if e.collector == nil {
		return nil, nil
	}
	list, err := e.collector.Scores()
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	return list, nil
}

// scoreWithFeatures is a score in JSON.
type scoreWithFeatures struct {
	trainhost.Score
	ByFeatures *features.Score `json:"features,omitempty"`
}

// withFeatures joins scores with those of features, task by task.
func withFeatures(scores []trainhost.Score, by []features.Score) (list []scoreWithFeatures) {
	for _, s := range scores {
		one := scoreWithFeatures{Score: s}
		for i := range by {
			if by[i].Task == s.Task {
				one.ByFeatures = &by[i]
			}
		}
		list = append(list, one)
	}
	return list
}
