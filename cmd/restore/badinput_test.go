package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/weights"
)

// noVulkan hides all devices, so that a test fails if a mistake is not found before a device is
// opened.
var noVulkan = []string{"VK_DRIVER_FILES=/nonexistent", "VK_ICD_FILENAMES=/nonexistent", "VFM_DEVICE="}

func workplace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(40, 30, false, 8, false))
	put(t, filepath.Join(dir, "alpha.png"), photo(40, 30, false, 8, true))
	put(t, filepath.Join(dir, "in.jpg"), photo(40, 30, false, 8, false))
	missing := make([]bool, 40*30)
	missing[77] = true
	put(t, filepath.Join(dir, "mask.png"), picture.FromMask(missing, 40, 30))
	return dir
}

func TestMistakesInTheCommandLine(t *testing.T) {
	dir := workplace(t)
	for _, c := range []struct{ args, words string }{
		{"", "nothing to do"},
		{"in.png", "no command \"in.png\""},
		{"in.png out.png", "no -task given; the tasks are"},
		{"-task sharpen in.png out.png", `unknown task "sharpen"; the tasks are`},
		{"-task denoise", "not 0 names"},
		{"-task denoise in.png", "not 1 names"},
		{"-task denoise in.png out.png extra.png", "not 3 names"},
		{"-task denoise in.png out.webp", "cannot write .webp"},
		{"-task denoise in.png out", "must end in .png"},
		{"-task denoise -frobnicate in.png out.png", "-frobnicate"},
		{"in.png out.png -task", "needs an argument"},
		{"-task inpaint in.png out.png", "needs -mask"},
		{"-task inpaint-box in.png out.png", "needs -mask"},
		{"-task denoise -mask mask.png in.png out.png", "-mask has no meaning for task denoise"},
		{"-task denoise -noise loud in.png out.png", "-noise"},
		{"-task denoise -blur 3 in.png out.png", "-blur has no meaning for task denoise"},
		{"-task defocus -blur 99 in.png out.png", "-blur"},
		{"-task defocus -blur square:3 in.png out.png", "-blur"},
		{"-task defocus -blur disc:4 -project in.png out.png", "-project"},
		{"-task denoise -noise -1 in.png out.png", "-noise"},
		{"-task denoise -noise NaN in.png out.png", "-noise"},
		{"-task denoise -noise 128 in.png out.png", "-noise"},
		{"-task denoise -samples -1 in.png out.png", "-samples -1"},
		{"-task denoise -samples 1001 -mean m.png in.png out.png", "-samples 1001"},
		{"-task denoise -samples three in.png out.png", "-samples"},
		{"-task denoise -samples 3 in.png out.png", "write none"},
		{"-task denoise -mean m.png in.png out.png", "-mean needs -samples"},
		{"-task denoise -std s.png in.png out.png", "-std needs -samples"},
		{"-task denoise -samples-dir d in.png out.png", "-samples-dir needs -samples"},
		{"-task denoise -samples 1 -std s.png in.png out.png", "at least -samples 2"},
		{"-task denoise -samples 2 -std s.gif in.png out.png", "cannot write .gif"},
		{"-task denoise -samples 2 -mean out.png in.png ./out.png", "both name"},
		{"-task denoise -samples 2 -std s.png -mean s.png in.png out.png", "both name"},
		{"-task denoise -temperature 2 in.png out.png", "add -samples"},
		{"-task denoise -samples 2 -mean m.png -temperature -1 in.png out.png", "-temperature -1"},
		{"-task denoise -samples 2 -mean m.png -temperature NaN in.png out.png", "-temperature"},
		{"-task denoise -steps 0 in.png out.png", "-steps 0"},
		{"-task denoise -steps 1001 in.png out.png", "-steps 1001"},
		{"-task denoise -json in.png -", "cannot both go to stdout"},
		{"-task denoise -format jpg in.png out.png", "-format is for folders"},
		{"-task denoise -format gif in.png -", "not png, jpg or tif"},
		{"-task denoise -r in.png out.png", "-r is for folders"},
		{"-task denoise -shard 1/2 in.png out.png", "-shard is for folders"},
		{"-task denoise -samples 2 -mean m.png . out", "-mean is for one picture"},
		{"-task denoise -samples 2 . out", "-samples is for one picture"},
		{"-task denoise -explain d . out", "-explain is for one picture"},
		{"-task denoise . out.png", "must be a folder too"},
		{"-task denoise . -", "cannot be written to stdout"},
		{"-task denoise . ./", "the same folder"},
		{"-task denoise -jobs 0 . out", "-jobs 0"},
		{"-task denoise -shard 2/2 . out", "shard 2 of 2"},
		{"-task denoise -shard 1 . out", "give I/N"},
		{"-task denoise -shard auto/3 . out", "auto needs an indexed job"},
		{"-task denoise -times 1,0.5 in.png out.png", "must go from 1 to 0"},
		{"-task denoise -times 1;0 in.png out.png", "separated by commas"},
		{"-task denoise -times 1,0 -steps 1 in.png out.png", "give one"},
		{"-task denoise -ensemble 3 in.png out.png", "-ensemble 3 is not 1, 2, 4 or 8"},
		{"-task denoise -project in.png out.png", "-project has no meaning for task denoise"},
		{"-task denoise -samples 2 -samples-dir d -explain ./d in.png out.png", "both name"},
		{"sample", "not 0 names"},
		{"sample -size 3 out.png", "-size"},
		{"sample -size 3x0 out.png", "-size"},
		{"sample -n 0 out.png", "-n 0"},
		{"sample -times 0,1 out.png", "must go from 1 to 0"},
		{"sample -temperature -1 out.png", "-temperature -1"},
		{"sample out.gif", "cannot write .gif"},
		{"-task denoise -seed -1 in.png out.png", "-seed"},
		{"-task denoise -tile 3 in.png out.png", "-tile 3"},
		{"-task denoise -threads -1 in.png out.png", "-threads -1"},
		{"-task denoise -pace 0 in.png out.png", "-pace 0"},
		{"video -task denoise -pace NaN in.y4m out.y4m", "-pace NaN"},
		{"-task denoise -tile -1 in.png out.png", "-tile -1"},
		{"-task denoise -precision int4 in.png out.png", "int4"},
		{"-task denoise -quality 0 in.png out.png", "-quality 0"},
		{"-task denoise -max-megapixels 0 in.png out.png", "-max-megapixels 0"},
		{"help nothing", "no command \"nothing\""},
		{"help devices bench", "one command at most"},
		{"degrade in.png out.png", "no -task"},
		{"degrade -task blur in.png out.png", "unknown task"},
		{"degrade -task denoise in.png", "not 1 names"},
		{"degrade -task denoise -noise auto in.png out.png", "needs a number"},
		{"degrade -task denoise -mask-out m.png in.png out.png", "-mask-out has no meaning"},
		{"degrade -task denoise -scale 0.5 in.png out.png", "-scale has no meaning"},
		{"degrade -task motion-deblur -scale 0 in.png out.png", "-scale 0"},
		{"degrade -task motion-deblur -scale 1.5 in.png out.png", "-scale 1.5"},
		{"degrade -task inpaint -mask-out out.png in.png out.png", "both name"},
		{"degrade -task denoise in.png out.webp", "cannot write .webp"},
		{"degrade -task denoise -quality 101 in.png out.jpg", "-quality 101"},
		{"compare in.png", "not 1"},
		{"compare a b c", "not 3"},
		{"compare -x a b", "restore help compare"},
		{"devices all", `unexpected "all"`},
		{"version now", `unexpected "now"`},
	} {
		fails(t, dir, noVulkan, exitUsage, c.words, strings.Fields(c.args)...)
	}
}

func TestBadPictures(t *testing.T) {
	dir := workplace(t)
	png, _ := os.ReadFile(filepath.Join(dir, "in.png"))
	jpg, _ := os.ReadFile(filepath.Join(dir, "in.jpg"))
	flipped := bytes.Clone(png)
	flipped[len(png)/2] ^= 1
	for name, c := range map[string]struct {
		body  []byte
		words string
	}{
		"half.png":    {png[:len(png)/2], "half.png: not a picture I can read (truncated PNG: "},
		"almost.png":  {png[:len(png)-60], "almost.png: not a picture I can read (truncated PNG: "},
		"half.jpg":    {jpg[:len(jpg)/2], "half.jpg: not a picture I can read (truncated JPEG: "},
		"start.jpg":   {jpg[:3], "start.jpg: not a picture I can read (truncated JPEG"},
		"flipped.png": {flipped, "damaged PNG"},
		"empty.png":   {nil, "the file is empty"},
		"text.png":    {[]byte("this is a shopping list\n"), "neither PNG, JPEG"},
		"scan.png":    {[]byte("II*\x00\x08\x00\x00\x00\x00\x00"), "TIFF"},
		"web.jpg":     {[]byte("RIFF\x00\x00\x00\x00WEBPVP8L"), "WebP"},
	} {
		write(t, filepath.Join(dir, name), c.body)
		fails(t, dir, noVulkan, exitFailure, c.words, "-task", "denoise", name, "out.png")
		fails(t, dir, noVulkan, exitFailure, c.words, "-task", "inpaint", "-mask", name, "in.png", "out.png")
		fails(t, dir, nil, exitFailure, c.words, "degrade", "-task", "denoise", name, "out.png")
		fails(t, dir, nil, exitFailure, c.words, "compare", "in.png", name)
	}
	fails(t, dir, noVulkan, exitFailure, "none.png: cannot open: no such file", "-task", "denoise", "none.png", "out.png")
	fails(t, dir, nil, exitFailure, "it is a directory", "degrade", "-task", "denoise", ".", "out.png")
	fails(t, dir, nil, exitFailure, "only pictures of one size", "compare", "in.png", mismatched(t, dir))
}

func TestTooManyPixels(t *testing.T) {
	dir := workplace(t)
	put(t, filepath.Join(dir, "large.png"), picture.New(1200, 1000, make([]float32, 3*1200*1000)))
	args := []string{"-task", "denoise", "-weights", someWeights(t, dir), "large.png", "out.png"}
	fails(t, dir, noVulkan, exitFailure, "large.png: not a picture I can read (too large: 1200×1000 pixels are more than the 1000000 allowed); -max-megapixels allows more", append([]string{"-max-megapixels", "1"}, args...)...)
	fails(t, dir, noVulkan, exitNoVulkan, "", append([]string{"-max-megapixels", "2"}, args...)...)
}

func mismatched(t *testing.T, dir string) string {
	put(t, filepath.Join(dir, "small.png"), photo(10, 20, true, 8, false))
	return "small.png"
}

func TestBadMasks(t *testing.T) {
	dir := workplace(t)
	white := make([]bool, 40*30)
	for i := range white {
		white[i] = true
	}
	put(t, filepath.Join(dir, "white.png"), picture.FromMask(white, 40, 30))
	for mask, words := range map[string]string{
		mismatched(t, dir): "small.png: mask is 10×20 but picture is 40×30",
		"white.png":        "white everywhere",
		"none.png":         "none.png: cannot open",
	} {
		fails(t, dir, noVulkan, exitFailure, words, "-task", "inpaint", "-mask", mask, "in.png", "out.png")
	}
}

func TestBadOutputs(t *testing.T) {
	dir := workplace(t)
	if err := os.Mkdir(filepath.Join(dir, "folder.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, words string }{
		{"-task denoise in.png none/out.png", "there is no directory none"},
		{"-task denoise in.png in.jpg/out.png", "in.jpg is not a directory"},
		{"-task denoise in.png folder.png", "folder.png: it is a directory"},
		{"-task denoise alpha.png out.jpg", "transparency"},
		{"-task denoise -samples 2 -mean none/m.png in.png out.png", "there is no directory none"},
		{"-task denoise -samples 2 -samples-dir none/d in.png out.png", "there is no directory none"},
		{"-task denoise -samples 2 -samples-dir in.jpg in.png out.png", "not a directory"},
		{"degrade -task denoise alpha.png out.jpg", "transparency"},
		{"degrade -task inpaint -mask-out none/m.png in.png out.png", "there is no directory none"},
	} {
		fails(t, dir, noVulkan, exitFailure, c.words, strings.Fields(c.args)...)
	}
}

func TestNoVulkan(t *testing.T) {
	dir := workplace(t)
	fails(t, dir, noVulkan, exitNoVulkan, "install the Vulkan loader and a driver", "devices")
	fails(t, dir, noVulkan, exitNoVulkan, "install the Vulkan loader and a driver", "-task", "denoise", "-weights", someWeights(t, dir), "in.png", "out.png")
}

func TestUnknownDevice(t *testing.T) {
	dir := workplace(t)
	w := someWeights(t, dir)
	for _, d := range []string{"Voodoo 2", "99"} {
		fails(t, dir, nil, exitFailure, d, "-task", "denoise", "-weights", w, "-device", d, "in.png", "out.png")
		fails(t, dir, []string{"VFM_DEVICE=" + d}, exitFailure, d, "-task", "denoise", "-weights", w, "in.png", "out.png")
	}
}

func TestUnreadableWeights(t *testing.T) {
	dir := workplace(t)
	other := &weights.File{
		Meta:    map[string]string{weights.KeyNetwork: "a network of another project"},
		Tensors: []weights.Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1, 2}}},
	}
	if err := weights.Save(filepath.Join(dir, "other.vfm"), other); err != nil {
		t.Fatal(err)
	}
	good, _ := os.ReadFile(filepath.Join(dir, "other.vfm"))
	write(t, filepath.Join(dir, "cut.vfm"), good[:len(good)-9])
	write(t, filepath.Join(dir, "long.vfm"), append(good, 0))
	write(t, filepath.Join(dir, "text.vfm"), []byte("nothing of the kind"))
	write(t, filepath.Join(dir, "empty.vfm"), nil)
	for name, words := range map[string]string{
		"cut.vfm": "cut.vfm: unreadable weights: ", "long.vfm": "bytes follow", "text.vfm": "does not begin like a .vfm file",
		"empty.vfm": "empty.vfm: unreadable weights", "none.vfm": "none.vfm", ".": "directory", "other.vfm": "",
	} {
		fails(t, dir, nil, exitFailure, words, "-task", "denoise", "-weights", name, "in.png", "out.png")
		if name != "other.vfm" { // which can be read and described
			fails(t, dir, nil, exitFailure, words, "version", "-weights", name)
		}
	}
}
