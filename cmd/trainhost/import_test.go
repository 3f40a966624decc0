package main

import (
	"fmt"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/weights"
)

// checkpoint writes random tensors of the given names and shapes as a safetensors file.
func checkpoint(t *testing.T, path string, tensors map[string][]int) {
	t.Helper()
	f := &weights.File{Meta: map[string]string{weights.KeyNetwork: "test"}}
	for name, shape := range tensors {
		n := 1
		for _, k := range shape {
			n *= k
		}
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rand.NormFloat64() / math.Sqrt(float64(n/shape[0])))
		}
		f.Tensors = append(f.Tensors, weights.Tensor{Name: name, Shape: shape, Data: v})
	}
	if err := weights.Save(path, f); err != nil {
		t.Fatal(err)
	}
}

// layers adds a weight and a bias.
func layers(to map[string][]int, name string, shape ...int) {
	to[name+".weight"], to[name+".bias"] = shape, shape[:1]
}

func smallTransformer() map[string][]int {
	m := map[string][]int{"y_embedder.embedding_table.weight": {4, 16}}
	layers(m, "x_embedder.proj", 16, 4, 2, 2)
	layers(m, "t_embedder.mlp.0", 16, 256)
	layers(m, "t_embedder.mlp.2", 16, 16)
	for b := range 2 {
		name := fmt.Sprintf("blocks.%d.", b)
		layers(m, name+"attn.qkv", 48, 16)
		layers(m, name+"attn.proj", 16, 16)
		layers(m, name+"mlp.fc1", 64, 16)
		layers(m, name+"mlp.fc2", 16, 64)
		layers(m, name+"adaLN_modulation.1", 96, 16)
	}
	layers(m, "final_layer.linear", 32, 16)
	layers(m, "final_layer.adaLN_modulation.1", 32, 16)
	return m
}

// smallConvnets returns an adapter and an autoencoder of two levels.
func smallConvnets() (adapter, vae map[string][]int) {
	adapter, vae = map[string][]int{"class_embed.0.weight": {6, 8}}, map[string][]int{}
	block := func(m map[string][]int, name, film, skip string, in, out int) {
		layers(m, name+"norm1", in)
		layers(m, name+"conv1", out, in, 3, 3)
		layers(m, name+"norm2", out)
		layers(m, name+"conv2", out, out, 3, 3)
		if film != "" {
			layers(m, name+"film1.fc", 2*out, 8)
			layers(m, name+"film2.fc", 2*out, 8)
		}
		if in != out {
			layers(m, name+skip, out, in, 1, 1)
		}
	}
	layers(adapter, "class_embed.1", 8, 8)
	layers(adapter, "class_embed.3", 8, 8)
	layers(adapter, "conv_in", 8, 3, 3, 3)
	layers(adapter, "down_blocks.0.downsample", 8, 8, 3, 3)
	for name, in := range map[string]int{"down_blocks.0.res_blocks.0.": 8, "down_blocks.1.res_blocks.0.": 8, "mid_block1.": 16, "mid_block2.": 16} {
		out := 16
		if strings.Contains(name, "blocks.0.res") {
			out = 8
		}
		block(adapter, name, "film", "shortcut", in, out)
	}
	layers(adapter, "norm_out", 16)
	layers(adapter, "conv_out", 8, 16, 3, 3)

	for _, half := range []string{"encoder", "decoder"} {
		for i := range 2 {
			block(vae, fmt.Sprintf("%s.mid_block.resnets.%d.", half, i), "", "", 16, 16)
		}
		layers(vae, half+".mid_block.attentions.0.group_norm", 16)
		for _, n := range []string{"to_q", "to_k", "to_v", "to_out.0"} {
			layers(vae, half+".mid_block.attentions.0."+n, 16, 16)
		}
	}
	layers(vae, "encoder.conv_in", 8, 3, 3, 3)
	block(vae, "encoder.down_blocks.0.resnets.0.", "", "", 8, 8)
	layers(vae, "encoder.down_blocks.0.downsamplers.0.conv", 8, 8, 3, 3)
	block(vae, "encoder.down_blocks.1.resnets.0.", "", "conv_shortcut", 8, 16)
	layers(vae, "encoder.conv_norm_out", 16)
	layers(vae, "encoder.conv_out", 8, 16, 3, 3)
	layers(vae, "quant_conv", 8, 8, 1, 1)
	layers(vae, "post_quant_conv", 4, 4, 1, 1)
	layers(vae, "decoder.conv_in", 16, 4, 3, 3)
	block(vae, "decoder.up_blocks.0.resnets.0.", "", "", 16, 16)
	block(vae, "decoder.up_blocks.0.resnets.1.", "", "", 16, 16)
	layers(vae, "decoder.up_blocks.0.upsamplers.0.conv", 16, 16, 3, 3)
	block(vae, "decoder.up_blocks.1.resnets.0.", "", "conv_shortcut", 16, 8)
	block(vae, "decoder.up_blocks.1.resnets.1.", "", "", 8, 8)
	layers(vae, "decoder.conv_norm_out", 8)
	layers(vae, "decoder.conv_out", 3, 8, 3, 3)
	return adapter, vae
}

// From checkpoints with the authors' names to pictures of the prior and of a posterior.
func TestImportAndSample(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	adapter, vae := smallConvnets()
	checkpoint(t, at("flow.safetensors"), smallTransformer())
	checkpoint(t, at("adapter.safetensors"), adapter)
	checkpoint(t, at("vae.safetensors"), vae)
	must := func(want string, args ...string) {
		t.Helper()
		if text, err := output(t, args...); err != nil || !strings.Contains(text, want) {
			t.Fatalf("trainhost %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
	must("width 16, 2 blocks, 1 of them on t, 2 heads, patches of 2, 3 classes", "import", "-network", "dmft", "-heads", "2", "-in", at("flow.safetensors"), "-out", at("flow.vfm"))
	must("widths [8 16], 1 blocks each, 6 inverse problems", "import", "-network", "latent-adapter", "-in", at("adapter.safetensors"), "-out", at("adapter.vfm"))
	must("widths [8 16], 1 blocks each", "import", "-network", "sd-vae", "-fp32", "-in", at("vae.safetensors"), "-out", at("vae.vfm"))

	nets := []string{"sample", "-flow", at("flow.vfm"), "-decoder", at("vae.vfm"), "-width", "32", "-height", "16"}
	with := func(more ...string) []string { return append(append([]string{}, nets...), more...) }
	must("seed 5", with("-out", at("prior.png"), "-class", "2", "-guidance", "1.5", "-steps", "2", "-seed", "4", "-n", "2")...)
	pix := make([]float32, 3*8*4)
	if err := picture.EncodeFile(at("small.png"), picture.New(8, 4, pix), 0); err != nil {
		t.Fatal(err)
	}
	must("posterior.png", with("-out", at("posterior.png"), "-adapter", at("adapter.vfm"), "-in", at("small.png"), "-task", "super-resolve")...)
	for _, name := range []string{"prior-0000.png", "prior-0001.png", "posterior.png"} {
		f, err := os.Open(at(name))
		if err != nil {
			t.Fatal(err)
		}
		if c, err := png.DecodeConfig(f); err != nil || c.Width != 32 || c.Height != 16 {
			t.Errorf("%s: %v, %v", name, c, err)
		}
		f.Close()
	}

	for want, args := range map[string][]string{
		"-in, -out and -network are needed": {"import", "-in", at("flow.safetensors")},
		"no network \"vae\"":                {"import", "-network", "vae", "-in", at("flow.safetensors"), "-out", at("x.vfm")},
		"holds no tensor":                   {"import", "-network", "sd-vae", "-in", at("flow.safetensors"), "-out", at("x.vfm")},
		"neither a safetensors file nor":    {"import", "-network", "sd-vae", "-in", at("small.png"), "-out", at("x.vfm")},
		"no such file":                      {"import", "-network", "sd-vae", "-in", at("none"), "-out", at("x.vfm")},
		"belong together":                   with("-out", at("x.png"), "-adapter", at("adapter.vfm")),
		"is 8×4, must be 32×16":             with("-out", at("x.png"), "-adapter", at("adapter.vfm"), "-in", at("small.png"), "-task", "denoise"),
		"is no flow map":                    {"sample", "-flow", at("vae.vfm"), "-decoder", at("vae.vfm"), "-out", at("x.png")},
		"class 3: the flow map knows":       with("-out", at("x.png"), "-class", "3"),
	} {
		if _, err := output(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("trainhost %s: %v, want something with %q", strings.Join(args, " "), err, want)
		}
		for _, name := range []string{"x.vfm", "x.png"} {
			if _, err := os.Stat(at(name)); err == nil {
				t.Errorf("trainhost %s left %s", strings.Join(args, " "), name)
			}
		}
	}
}
