package restore

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The code on the camera engineer's page is taken from files that are compiled and run.
func TestCodeInDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/CAMERA.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, file := range map[string]string{"go": "example_test.go", "c": "../cmd/libvfm/example/pipeline.c"} {
		example, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
			rest := string(example)
			for line := range strings.Lines(block[1]) {
				line = strings.TrimSpace(line)
				at := strings.Index(rest, line)
				if at < 0 {
					t.Fatalf("%q of docs/CAMERA.md does not stand in %s, or not in this order", line, file)
				}
				rest = rest[at+len(line):]
				lines++
			}
		}
		if lines < 10 {
			t.Errorf("%d lines of %s in docs/CAMERA.md", lines, language)
		}
	}
}
