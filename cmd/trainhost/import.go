package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/trainhost/published"
	"github.com/vfmrestore/restore/trainhost/tensorfile"
	"github.com/vfmrestore/restore/weights"
)

// importCheckpoint turns a checkpoint of the paper's networks into a weights file.
func importCheckpoint(args []string) error {
	fs := flag.NewFlagSet("trainhost import", flag.ContinueOnError)
	in := fs.String("in", "", "checkpoint: a safetensors file, or what PyTorch's torch.save writes")
	out := fs.String("out", "", "weights file to write (.vfm)")
	network := fs.String("network", "", "what it is: "+strings.Join(published.Networks(), ", "))
	part := fs.String("part", "", "dictionary of the checkpoint with the network, such as ema (default: averaged weights if there are any)")
	heads := fs.Int("heads", 0, "attention heads of a sit or dmft (default: those of the published sizes)")
	encoder := fs.Int("encoder", 0, "how many blocks of a dmft are conditioned on t (default: two thirds)")
	fp32 := fs.Bool("fp32", false, "store 32 bits per number instead of 16")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if *in == "" || *out == "" || *network == "" {
		return errors.New("import: -in, -out and -network are needed")
	}
	if err := checkOut("import", *out); err != nil {
		return err
	}
	f, err := tensorfile.Open(*in)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Check(); err != nil {
		return fmt.Errorf("%s: %w", *in, err)
	}
	r, err := published.Import(f, published.Options{Network: *network, Part: *part, Heads: *heads, Encoder: *encoder})
	if err != nil {
		return fmt.Errorf("%s: %w", *in, err)
	}
	dt := weights.F16
	if *fp32 {
		dt = weights.F32
	}
	bytes := int64(0)
	for i := range r.File.Tensors {
		t := &r.File.Tensors[i]
		if len(t.Shape) > 1 { // vectors are few, and biases need the accuracy
			t.DType = dt
		}
		bytes += int64(t.DType.Size()) * int64(len(t.Data))
	}
	if most := int64(weights.MaxFile); bytes > most {
		hint := "the network is too large"
		if *fp32 {
			hint = "leave out -fp32"
		}
		return fmt.Errorf("import: the weights take %d MB, more than the %d MB that programs read: %s", bytes/1e6, most/1e6, hint)
	}
	from := "the whole file"
	if r.Part != "" {
		from = "part " + r.Part
	}
	fmt.Fprintf(stdout, "%s, %s: %s, %s\n", *in, from, *network, r.Note)
	return savePacked(*out, r.File)
}
