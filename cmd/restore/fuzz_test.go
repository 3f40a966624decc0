package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore"
)

// FuzzCommandLine gives parseOptions random arguments. They are accepted, refused in one line, or
// ask for help; no file is opened and nothing panics.
func FuzzCommandLine(f *testing.F) {
	for _, s := range []string{
		"-task denoise in.png out.png", "-task inpaint -mask m.png -noise 0 a b.jpg", "-task x", "-samples 10 -std s.png -mean m.png -task denoise a.png b.png",
		"-help", "-- -task", "-times 1,0.5,0 -task motion-deblur a b.png", "-shard 1/3 -r -jobs 4 -format jpg -task denoise dir out", "-noise -1", "-report r.html -task denoise - -",
	} {
		f.Add(strings.ReplaceAll(s, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		for _, s := range args {
			// No names of files of this machine, as a fuzzer must not depend on them.
			if strings.ContainsAny(s, "/.~") && !strings.HasPrefix(s, "-") && len(s) > 40 {
				return
			}
		}
		var out, errs bytes.Buffer
		a := &app{ctx: context.Background(), in: strings.NewReader(""), out: &out, err: &errs}
		o, err := a.parseOptions(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			if out.Len() == 0 {
				t.Fatal("help without a text")
			}
		case err != nil:
			if s := oneLine(err.Error()); s == "" || strings.ContainsAny(s, "\n\r") {
				t.Fatalf("not one line: %q", s)
			}
			if code := exitCode(err); code != exitUsage && code != exitFailure {
				t.Fatalf("exit code %d for %v", code, err)
			}
		case o.in == "" || o.out.path == "" || !o.task.Valid() || o.samples < 0 || o.samples > restore.MaxSamples || o.steps < 1 || o.steps > maxSteps:
			t.Fatalf("accepted: %+v", o)
		}
	})
}
