// Package published turns checkpoints of the paper's networks, as their authors' PyTorch programs
// save them, into weights files: SiT and DMFT with the names of DiT's code, the noise adapter with
// those of VFM's, and SD-VAE with those of diffusers.
package published

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/trainhost/latent"
	"github.com/vfmrestore/restore/trainhost/tensorfile"
	"github.com/vfmrestore/restore/weights"
)

// Options say what to read from a checkpoint.
type Options struct {
	// Network is one of Networks.
	Network string
	// Part is the dictionary of the checkpoint that holds the network, such as "ema". If it is
	// empty, the file may hold the network once, or in several dictionaries; then averaged weights,
	// whose names contain "ema", are preferred.
	Part string
	// Heads is the number of attention heads of a transformer, which no shape tells. 0: 16 for
	// widths of 1024 and 1152, else one for 64 channels.
	Heads int
	// Encoder is how many blocks of a DMFT are conditioned on t, which no shape tells either. 0:
	// two thirds of them.
	Encoder int
}

// Networks lists what Import reads.
func Networks() []string { return []string{"sit", "dmft", "latent-adapter", "sd-vae"} }

// Result is an imported network.
type Result struct {
	File *weights.File // F32; the caller may set other types
	Part string        // the dictionary it was read from, "" for the whole file
	Note string        // the network's sizes, a line
}

// MismatchError lists how the tensors of a checkpoint differ from what the network needs.
type MismatchError struct {
	Network               string
	Missing, Wrong, Extra []string // names; Wrong with the shapes
}

func (e *MismatchError) Error() string {
	s := "the checkpoint does not fit the network " + e.Network
	for _, l := range []struct {
		what string
		list []string
	}{{"missing", e.Missing}, {"of another shape", e.Wrong}, {"not part of the network", e.Extra}} {
		if n := len(l.list); n > 0 {
			s += fmt.Sprintf("; %d tensors %s: %s", n, l.what, strings.Join(l.list[:min(n, 4)], ", "))
			if n > 4 {
				s += ", …"
			}
		}
	}
	return s
}

// part is the dictionary of a checkpoint that holds the network.
type part struct {
	file   *tensorfile.File
	byName map[string]*tensorfile.Tensor // by name within the part
	used   map[string]bool
}

// Import reads a network from a checkpoint. It fails with a *MismatchError if tensors are missing,
// have other shapes or are not known, and with an error of tensorfile if values cannot be read.
// Tensors that networks do not need are known: the fixed positions, which are compared with ours,
// and an estimate of the loss's variance.
func Import(f *tensorfile.File, o Options) (*Result, error) {
	anchor := map[string]string{
		"sit": "x_embedder.proj.weight", "dmft": "x_embedder.proj.weight", "latent-adapter": "class_embed.0.weight", "sd-vae": "decoder.conv_in.weight",
	}[o.Network]
	if anchor == "" {
		return nil, fmt.Errorf("there is no network %q, only %s", o.Network, strings.Join(Networks(), ", "))
	}
	p, name, err := find(f, anchor, o.Part)
	if err != nil {
		return nil, err
	}
	var net latent.Config
	var rules []rule
	var outs []*netdef.Node
	var note string
	g := netdef.NewGraph()
	switch o.Network {
	case "sit", "dmft":
		c, err := p.transformer(o)
		if err != nil {
			return nil, err
		}
		net, rules, note = c, transformerRules(c, p), fmt.Sprintf("width %d, %d blocks, %d of them on t, %d heads, patches of %d, %d classes", c.Width, c.Depth, c.Encoder, c.Heads, c.Patch, c.Classes)
		one := netdef.Shape{1, 1, 1, 1}
		outs = append(outs, c.Velocity(g, g.Input("x", netdef.Shape{1, 8, 8, c.PatchChannels()}), g.Input("r", one), g.Input("t", one), g.Input("label", netdef.Shape{1, 1, 1, c.Labels()})))
	case "latent-adapter":
		c := p.adapter()
		net, rules, note = c, adapterRules(c), fmt.Sprintf("widths %v, %d blocks each, %d inverse problems", c.Widths, c.Blocks, c.Classes)
		side := 8 << len(c.Widths)
		outs = append(outs, c.Posterior(g, g.Input("y", netdef.Shape{1, side, side, 8}), g.Input("class", netdef.Shape{1, 1, 1, c.Labels()})))
	case "sd-vae":
		c := p.autoencoder()
		net, rules, note = c, autoencoderRules(c, p), fmt.Sprintf("widths %v, %d blocks each", c.Widths, c.Blocks)
		side := 8 << len(c.Widths)
		outs = append(outs, c.Encode(g, g.Input("x", netdef.Shape{1, side, side, 8})), c.Decode(g, g.Input("z", netdef.Shape{1, 8, 8, 8})))
	}
	if err := net.Validate(); err != nil {
		return nil, fmt.Errorf("the checkpoint's shapes give no network: %w", err)
	}
	if err := g.Err(); err != nil {
		return nil, err
	}
	file, err := p.read(o.Network, rules, netdef.Params(outs...))
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(net)
	if err != nil {
		return nil, err
	}
	file.Meta = map[string]string{weights.KeyNetwork: net.Name(), weights.KeyConfig: string(config)}
	return &Result{file, name, note}, nil
}

// find returns the part of a file that holds the tensor anchor, and its name.
func find(f *tensorfile.File, anchor, want string) (*part, string, error) {
	var names []string
	for _, t := range f.Tensors {
		if prefix, ok := strings.CutSuffix(t.Name, anchor); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			names = append(names, strings.TrimSuffix(prefix, "."))
		}
	}
	name := ""
	switch {
	case want != "" && !slices.Contains(names, want):
		return nil, "", fmt.Errorf("the part %q holds no tensor %s; parts that do: %q", want, anchor, names)
	case want != "":
		name = want
	case len(names) == 0:
		return nil, "", fmt.Errorf("the file holds no tensor %s, which this network has", anchor)
	default:
		name = names[0]
		for _, n := range names {
			if strings.Contains(n, "ema") {
				name = n
				break
			}
		}
	}
	prefix := name
	if prefix != "" {
		prefix += "."
	}
	p := &part{file: f, byName: map[string]*tensorfile.Tensor{}, used: map[string]bool{}}
	for _, t := range f.Tensors {
		if rest, ok := strings.CutPrefix(t.Name, prefix); ok {
			p.byName[rest] = t
		}
	}
	return p, name, nil
}

// axis returns the size of an axis of a tensor, or 0 if there is none.
func (p *part) axis(name string, i int) int {
	t := p.byName[name]
	if t == nil || i >= len(t.Shape) {
		return 0
	}
	return t.Shape[i]
}

// count returns how many of the tensors format with the numbers 0, 1, … exist, at most 256.
func (p *part) count(format string) int {
	n := 0
	for n < 256 && p.byName[fmt.Sprintf(format, n)] != nil {
		n++
	}
	return n
}

// read makes all parameters.
func (p *part) read(network string, rules []rule, params []*netdef.Node) (*weights.File, error) {
	byOurs := map[string]rule{}
	for _, r := range rules {
		byOurs[r.ours] = r
	}
	e := &MismatchError{Network: network}
	for _, n := range params {
		r, ok := byOurs[n.Name]
		if !ok {
			return nil, fmt.Errorf("published: parameter %s has no rule", n.Name) // a fault of this package
		}
		t := p.byName[r.theirs]
		p.used[r.theirs] = true
		switch {
		case t == nil:
			e.Missing = append(e.Missing, r.theirs)
		case !slices.Equal(t.Shape, r.shape):
			e.Wrong = append(e.Wrong, fmt.Sprintf("%s is %v, not %v", r.theirs, t.Shape, r.shape))
		}
	}
	for name := range p.byName {
		if !p.used[name] {
			e.Extra = append(e.Extra, name)
		}
	}
	if len(e.Missing)+len(e.Wrong)+len(e.Extra) > 0 {
		slices.Sort(e.Extra)
		return nil, e
	}
	file := &weights.File{}
	for _, n := range params {
		r := byOurs[n.Name]
		v, err := p.file.Values(p.byName[r.theirs])
		if err != nil {
			return nil, err
		}
		s := n.Shape
		data := make([]float32, 0, s.Size())
		for k := range s[0] {
			for l := range s[1] {
				for i := range s[2] {
					for o := range s[3] {
						x := float32(0)
						if at := r.index(k, l, i, o); at >= 0 {
							x = v[at]
						}
						data = append(data, x)
					}
				}
			}
		}
		file.Tensors = append(file.Tensors, weights.Tensor{Name: n.Name, Shape: latent.StoredShape(s), DType: weights.F32, Data: data})
	}
	return file, nil
}
