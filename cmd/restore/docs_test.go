package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commandsOf lists the lines of a page's code blocks that call restore.
func commandsOf(t *testing.T, page string) (lines [][]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	code := false
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "```") {
			code = !code
			continue
		}
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if code && strings.HasPrefix(line, "restore ") {
			lines = append(lines, strings.Fields(line)[1:])
		}
	}
	return lines
}

// Every command in the pages for users runs and writes its output.
func TestCommandsInDocs(t *testing.T) {
	for page, least := range map[string]int{"README.md": 8, "docs/PHOTOGRAPHER.md": 9} {
		dir := t.TempDir()
		w := someWeights(t, dir)
		for _, name := range []string{"in.png", "in.jpg", "small.png", "photos/a.jpg", "photos/deep/b.png"} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			put(t, path, photo(24, 20, false, 8, false))
		}
		holes := photo(24, 20, true, 8, false)
		for i := range holes.Pix {
			holes.Pix[i] = -1
			if i%480 < 5 {
				holes.Pix[i] = 1
			}
		}
		put(t, filepath.Join(dir, "holes.png"), holes)
		write(t, filepath.Join(dir, "in.dng"), mosaicFile(24, 20, true))
		lines := commandsOf(t, page)
		if len(lines) < least {
			t.Errorf("%s has %d commands, want %d", page, len(lines), least)
		}
		for _, args := range lines {
			if args[len(args)-2] == "<" || args[len(args)-1] == ">" || strings.Contains(strings.Join(args, " "), " < ") {
				continue // pipes, which TestPipes tests
			}
			r := program(t, dir, nil, append([]string{"-weights", w}, args...)...)
			if r.code != 0 {
				t.Errorf("%s: restore %s: exit code %d: %s", page, strings.Join(args, " "), r.code, r.stderr)
			}
			if out := filepath.Join(dir, args[len(args)-1]); !exists(out) {
				t.Errorf("%s: restore %s: no %s", page, strings.Join(args, " "), out)
			}
		}
	}
}

// The part of restore in pipes with other programs reads and writes video.
func TestPipesInDocs(t *testing.T) {
	for _, page := range []string{"README.md", "docs/CAMERA.md"} {
		b, err := os.ReadFile(filepath.Join("..", "..", page))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		// A pipe may continue in the next line after | or after a backslash.
		text := regexp.MustCompile(`\| *\n *`).ReplaceAllString(string(b), "| ")
		text = strings.ReplaceAll(text, "\\\n", "")
		for line := range strings.Lines(text) {
			parts := strings.Split(line, " | ")
			if !strings.HasPrefix(line, "ffmpeg ") || len(parts) != 3 {
				continue
			}
			found++
			dir := t.TempDir()
			in, _ := clip(t, "YUV4MPEG2 W36 H20 F25:1 Ip A1:1 C420jpeg", 3)
			args := strings.Fields(parts[1])
			var out, stderr bytes.Buffer
			a := &app{ctx: t.Context(), in: bytes.NewReader(in), out: &out, err: &stderr}
			code := a.main(append([]string{args[1], "-weights", filepath.Join(dir, someWeights(t, dir))}, args[2:]...))
			if args[0] != "restore" || code != 0 {
				t.Fatalf("%s: %q: exit code %d, %s", page, parts[1], code, &stderr)
			}
			if h, frames := levels(t, out.Bytes()); h.W != 36 || len(frames) != 3 {
				t.Errorf("%s: %q gives %d frames of %+v", page, parts[1], len(frames), h)
			}
		}
		if found == 0 {
			t.Errorf("%s has no pipe", page)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Every headline of the troubleshooting page is part of a message in the source.
func TestTroubleshooting(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		source.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../../docs/TROUBLESHOOTING.md")
	if err != nil {
		t.Fatal(err)
	}
	heads := regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(string(b), -1)
	if len(heads) < 10 {
		t.Errorf("%d headlines", len(heads))
	}
	for _, h := range heads {
		if !strings.Contains(source.String(), h[1]) {
			t.Errorf("no message of the program says %q", h[1])
		}
	}
}
