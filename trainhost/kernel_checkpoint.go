package trainhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/weights"
)

// KernelCheckpoint is a checkpoint of the kernel network in memory.
type KernelCheckpoint struct {
	State  KernelState
	arrays storedArrays
}

const kernelStateKey = "vfm.train.kernels"

// SaveKernelCheckpoint writes the store and the state to one file, completely or not at all.
func SaveKernelCheckpoint(path string, store *compile.Store, st KernelState) error {
	return saveArrays(path, store, kernelStateKey, st)
}

// LoadKernelCheckpoint reads a checkpoint of the kernel network.
func LoadKernelCheckpoint(path string) (*KernelCheckpoint, error) {
	f, err := weights.Load(path)
	if err != nil {
		return nil, err
	}
	return KernelCheckpointFromFile(path, f)
}

// KernelCheckpointFromFile returns the checkpoint in a file that has been read. path is for errors.
func KernelCheckpointFromFile(path string, f *weights.File) (c *KernelCheckpoint, err error) {
	if !IsKernelCheckpoint(f) {
		return nil, fmt.Errorf("%s: this is not a checkpoint of the kernel network (trainhost kernels)", path)
	}
	c = &KernelCheckpoint{}
	c.arrays, err = loadArrays(path, f, kernelStateKey, &c.State)
	return c, err
}

// IsKernelCheckpoint reports whether a file is a checkpoint of the kernel network.
func IsKernelCheckpoint(f *weights.File) bool { _, ok := f.Meta[kernelStateKey]; return ok }

// PackKernels makes the weights file of a checkpoint's averaged weights. Matrices and filters are
// stored as dtype, vectors as float32.
func PackKernels(c *KernelCheckpoint, dtype weights.DType, about About) (*weights.File, error) {
	ema := c.arrays[compile.Averages]
	if len(ema) == 0 {
		return nil, errors.New("the checkpoint holds no averaged weights")
	}
	prov, err := json.Marshal(struct {
		Runs        []KernelStage `json:"runs"`
		Data        string        `json:"data"`
		Attribution string        `json:"attribution"`
		Packed      string        `json:"packed"`
		Packer      string        `json:"packer,omitempty"`
	}{c.State.runs(), about.Data, about.Attribution, time.Now().UTC().Format(time.DateOnly), about.Packer})
	if err != nil {
		return nil, err
	}
	f := &weights.File{Meta: map[string]string{weights.KeyNetwork: motionblur.NetworkName, weights.KeyProvenance: string(prov)}}
	g := netdef.NewGraph()
	for _, p := range netdef.Params(kernelLoss(g, 1)) {
		t := weights.Tensor{Name: p.Name, Shape: p.Shape[:], DType: weights.F32, Data: ema[p.Name]}
		if p.Shape[2] > 1 { // vectors are small, and need the precision
			t.DType = dtype
		}
		f.Tensors = append(f.Tensors, t)
	}
	_, err = motionblur.NetworkFromFile(f)
	return f, err
}
