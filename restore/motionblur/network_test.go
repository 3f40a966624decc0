package motionblur

import (
	"strings"
	"testing"

	"github.com/vfmrestore/restore/weights"
)

func TestNetworkFromFile(t *testing.T) {
	load := func() *weights.File {
		f, err := weights.Kernels()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if _, err := NetworkFromFile(load()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(f *weights.File){
		"network \"edge\"": func(f *weights.File) { f.Meta[weights.KeyNetwork] = "edge" },
		"should have shape": func(f *weights.File) {
			s := f.Find("kernels/in/w").Shape
			s[0], s[2] = s[2], s[0]
		},
		"kernels/out/b": func(f *weights.File) { f.Find("kernels/out/b").Name = "kernels/out/c" },
		"instead of": func(f *weights.File) {
			f.Tensors = append(f.Tensors, weights.Tensor{Name: "more", Shape: []int{1}, Data: []float32{1}})
		},
	} {
		f := load()
		spoil(f)
		if _, err := NetworkFromFile(f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q, got %v", name, err)
		}
	}
}
