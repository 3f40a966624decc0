// Package latent samples pictures with the paper's image networks: the flow map SiT or DMFT on the
// latents of SD-VAE, and the noise adapter (nets.TransformerConfig, LatentAdapterConfig,
// AutoencoderConfig). Pictures are computed as a whole, as all of these networks look at all of
// one.
package latent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/weights"
)

// StoredShape returns the shape that a parameter has in a weights file: without leading axes of
// size 1, so that vectors are vectors and 1×1 convolutions matrices.
func StoredShape(s netdef.Shape) []int {
	t := s[:]
	for len(t) > 1 && t[0] == 1 {
		t = t[1:]
	}
	return slices.Clone(t)
}

// Config is the settings of a network: one of those in the comment of the package.
type Config interface {
	Name() string
	Validate() error
}

// Settings reads the settings in the metadata of a weights file. It fails if the file is for
// another kind of network, or if its settings are not valid.
func Settings(meta map[string]string) (Config, error) {
	var c Config
	var err error
	switch name := meta[weights.KeyNetwork]; name {
	case "sit", "dmft":
		c, err = decode[nets.TransformerConfig](meta[weights.KeyConfig])
	case "latent-adapter":
		c, err = decode[nets.LatentAdapterConfig](meta[weights.KeyConfig])
	case "sd-vae":
		c, err = decode[nets.AutoencoderConfig](meta[weights.KeyConfig])
	default:
		return nil, fmt.Errorf("the weights are for a network %q, not for one on latents (sit, dmft, latent-adapter, sd-vae)", name)
	}
	if err == nil {
		err = c.Validate()
	}
	if err == nil && c.Name() != meta[weights.KeyNetwork] {
		err = fmt.Errorf("they are those of a network %q", c.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("the settings of the weights for %q are not valid: %w", meta[weights.KeyNetwork], err)
	}
	return c, nil
}

func decode[C Config](text string) (Config, error) {
	var c C
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	return c, nil
}

// params returns the values of the parameters in a weights file that outs depend on. It fails if
// one is missing or has another shape.
func params(f *weights.File, outs ...*netdef.Node) (map[string][]float32, error) {
	v := map[string][]float32{}
	for _, p := range netdef.Params(outs...) {
		t := f.Find(p.Name)
		if t == nil {
			return nil, fmt.Errorf("the weights hold no %q, which the network %s has", p.Name, f.Meta[weights.KeyNetwork])
		}
		if want := StoredShape(p.Shape); !slices.Equal(t.Shape, want) {
			return nil, fmt.Errorf("%q has shape %v, in the network %s it has %v", p.Name, t.Shape, f.Meta[weights.KeyNetwork], want)
		}
		v[p.Name] = t.Data
	}
	return v, nil
}
