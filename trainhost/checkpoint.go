package trainhost

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost/optim"
	"github.com/vfmrestore/restore/weights"
)

func sqrt(x float64) float64 { return math.Sqrt(math.Max(x, 0)) }

// State is what a checkpoint holds in addition to the arrays.
type State struct {
	Network nets.EdgeConfig `json:"network"`
	Config  Config          `json:"config"`  // of the run that wrote it
	Step    uint64          `json:"step"`    // steps of the current run done
	History []Stage         `json:"history"` // runs before the current one
	// Origin is the provenance of the current run; nil in checkpoints of older programs.
	Origin *Origin `json:"origin,omitempty"`
}

// runs returns the earlier runs and the current one.
func (s State) runs() []Stage {
	return append(append([]Stage{}, s.History...), Stage{s.Config, s.Step, s.Origin})
}

// Stage records a run, for the provenance in packed weights.
type Stage struct {
	Config Config  `json:"config"`
	Steps  uint64  `json:"steps"`
	Origin *Origin `json:"origin,omitempty"`
}

const stateKey = "vfm.train"

// SaveCheckpoint writes the store and the state to one file, completely or not at all.
func SaveCheckpoint(path string, store *compile.Store, st State) error {
	return saveArrays(path, store, stateKey, st)
}

// saveArrays writes a store's arrays, and a state under its key.
func saveArrays(path string, store *compile.Store, key string, state any) error {
	meta, err := json.Marshal(state)
	if err != nil {
		return err
	}
	f := &weights.File{Meta: map[string]string{weights.KeyNetwork: "checkpoint", key: string(meta)}}
	for _, a := range optim.Arrays {
		vals, err := store.State(a)
		if err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		for _, name := range store.Names() {
			s := store.Shape(name)
			f.Tensors = append(f.Tensors, weights.Tensor{Name: string(a) + ":" + name, Shape: s[:], DType: weights.F32, Data: vals[name]})
		}
	}
	if err := weights.Save(path, f); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Checkpoint is a checkpoint in memory.
type Checkpoint struct {
	State  State
	arrays storedArrays
}

// storedArrays are the values of a checkpoint, by array and parameter name.
type storedArrays map[compile.Array]map[string][]float32

// LoadCheckpoint reads a checkpoint.
func LoadCheckpoint(path string) (*Checkpoint, error) {
	f, err := weights.Load(path)
	if err != nil {
		return nil, err
	}
	return CheckpointFromFile(path, f)
}

// CheckpointFromFile returns the checkpoint in a file that has been read. path is for errors.
func CheckpointFromFile(path string, f *weights.File) (c *Checkpoint, err error) {
	if !IsCheckpoint(f) {
		return nil, fmt.Errorf("%s: this is not a checkpoint (packed weights cannot be trained on: use -init)", path)
	}
	c = &Checkpoint{}
	c.arrays, err = loadArrays(path, f, stateKey, &c.State)
	return c, err
}

// loadArrays reads what saveArrays wrote, the state into a pointer.
func loadArrays(path string, f *weights.File, key string, state any) (storedArrays, error) {
	if err := json.Unmarshal([]byte(f.Meta[key]), state); err != nil {
		return nil, fmt.Errorf("%s: state: %w", path, err)
	}
	c := storedArrays{}
	for _, t := range f.Tensors {
		kind, name, ok := strings.Cut(t.Name, ":")
		a := compile.Array(kind)
		if !ok || !slices.Contains(optim.Arrays[:], a) {
			return nil, fmt.Errorf("%s: unexpected tensor %q", path, t.Name)
		}
		if c[a] == nil {
			c[a] = map[string][]float32{}
		}
		c[a][name] = t.Data
	}
	return c, nil
}

// Averaged returns the averaged weights θ⁻, φ⁻, which are evaluated and shipped.
func (c *Checkpoint) Averaged() map[string][]float32 { return c.arrays[compile.Averages] }

// init returns a function that fills a store: with all arrays to resume a run, or with the averaged
// weights for a new one.
func (c storedArrays) init(resume bool) func(*compile.Store) error {
	if resume {
		return c.restore
	}
	return func(store *compile.Store) error { return store.Set(c[compile.Averages]) }
}

// restore writes all arrays to a store.
func (c storedArrays) restore(store *compile.Store) error {
	for _, a := range optim.Arrays {
		if len(c[a]) != len(store.Names()) {
			return fmt.Errorf("the checkpoint has %d tensors in %q, the network has %d", len(c[a]), a, len(store.Names()))
		}
		if err := store.SetState(a, c[a]); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	return nil
}

// IsCheckpoint reports whether a file is a checkpoint and not packed weights.
func IsCheckpoint(f *weights.File) bool { _, ok := f.Meta[stateKey]; return ok }
