package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/weights"
)

// The test binary is the program itself when this is set, so that tests run real processes without
// building anything else.
const asProgram = "RESTORE_TEST_AS_PROGRAM"

// announce makes the program write a byte to stdout once it handles signals.
const announce = "RESTORE_TEST_ANNOUNCE"

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	if os.Getenv(asProgram) != "" {
		if os.Getenv(announce) != "" {
			signalsHandled = func() { os.Stdout.WriteString("!") }
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// outcome of one run of the program.
type outcome struct {
	code        int
	out, stderr string
}

// program runs `restore args...` in dir with additional environment.
func program(t *testing.T, dir string, env []string, args ...string) outcome {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return execute(t, dir, env, self, args...)
}

func execute(t *testing.T, dir string, env []string, name string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// fails checks what every failure has in common: its exit code, one line on stderr that begins with
// the program's name and holds the words, nothing on stdout, and no file in dir that was not there
// before, temporary ones included, and none that changed.
func fails(t *testing.T, dir string, env []string, code int, words string, args ...string) {
	t.Helper()
	before := contents(t, dir)
	failed(t, program(t, dir, env, args...), code, words, args)
	unchanged(t, dir, before, args)
}

func failed(t *testing.T, r outcome, code int, words string, args []string) {
	t.Helper()
	if r.code != code {
		t.Errorf("%q: exit code %d, want %d (stderr %q)", args, r.code, code, r.stderr)
	}
	if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "restore: ") || !strings.HasSuffix(r.stderr, "\n") {
		t.Errorf("%q: not one line on stderr: %q", args, r.stderr)
	}
	if !strings.Contains(r.stderr, words) {
		t.Errorf("%q: stderr is %q, which does not say %q", args, r.stderr, words)
	}
	if r.out != "" {
		t.Errorf("%q: stdout %q", args, r.out)
	}
}

// contents returns the contents of all files below dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			m[path] = "directory"
			return err
		}
		b, err := os.ReadFile(path)
		m[path] = string(b)
		if to, e := os.Readlink(path); e == nil { // a link, which may be broken
			m[path], err = "link to "+to+": "+string(b), nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func unchanged(t *testing.T, dir string, before map[string]string, args []string) {
	t.Helper()
	after := contents(t, dir)
	var wrong []string
	for path, b := range after {
		if old, ok := before[path]; !ok || old != b {
			wrong = append(wrong, path)
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			wrong = append(wrong, path+" (gone)")
		}
	}
	if sort.Strings(wrong); len(wrong) > 0 {
		t.Errorf("%q: left behind or changed: %v", args, wrong)
	}
}

func succeeds(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := program(t, dir, nil, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%q: exit code %d, stderr %q", args, r.code, r.stderr)
	}
	return r.out
}

// photo is a picture with some structure at every scale.
func photo(w, h int, gray bool, depth int, alpha bool) *picture.Picture {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	p := picture.New(w, h, make([]float32, 3*w*h))
	p.Gray, p.Depth = gray, depth
	for i := range p.Pix {
		c, y, x := i/(w*h), i/w%h, i%w
		if gray && c > 0 {
			p.Pix[i] = p.Pix[i-w*h]
			continue
		}
		v := float32(x*(c+1)%64)/48 - 0.6 + float32(y%32)/64
		if (x/8+y/8)%2 == 0 {
			v *= 0.7
		}
		p.Pix[i] = min(max(v+0.02*float32(r.NormFloat64()), -1), 1)
	}
	if alpha {
		p.Alpha = make([]float32, w*h)
		for i := range p.Alpha {
			p.Alpha[i] = float32(i%w) / float32(w)
		}
	}
	return p
}

func put(t *testing.T, path string, p *picture.Picture) {
	t.Helper()
	if err := picture.EncodeFile(path, p, 0); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) *picture.Picture {
	t.Helper()
	p, err := picture.DecodeFile(path, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// someWeights writes the weights of a small untrained network to a file in dir and returns its
// name. Such a network is built to restore like a classical method. With it tests do not depend on
// the embedded weights.
func someWeights(t *testing.T, dir string) string {
	t.Helper()
	cfg := nets.DefaultEdge()
	cfg.Widths, cfg.Blocks, cfg.Up, cfg.Mid, cfg.Gates, cfg.Emb = []int{8}, []int{}, nil, 1, []int{1}, 8
	g := netdef.NewGraph()
	y := g.Input("y", netdef.Shape{1, 8, 8, nets.FlowChannels})
	mu, logvar := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: y, Mask: g.Input("mask", netdef.Shape{1, 8, 8, nets.MaskChannels}), Task: g.Input("task", netdef.Shape{1, 1, 1, nets.Tasks}),
		Sigma: g.Input("sigma", netdef.Scalar), Guess: g.Input("guess", netdef.Shape{1, 8, 8, nets.FlowChannels}),
	})
	x := nets.OneStep(g, cfg, mu)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	params := map[string][]float32{}
	for _, p := range netdef.Params(logvar, x) {
		params[p.Name] = netdef.InitialValues(p, 1)
	}
	f, err := (&restore.Network{Config: cfg, Params: params}).File(weights.F16)
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.Save(filepath.Join(dir, "w.vfm"), f); err != nil {
		t.Fatal(err)
	}
	return "w.vfm"
}
