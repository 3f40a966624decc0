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
	for language, files := range map[string][]string{
		"go": {"example_test.go"},
		"c":  {"../cmd/libvfm/example/pipeline.c", "../cmd/libvfm/example/device.c", "../cmd/libvfm/example/memory.c"},
	} {
		lines := 0
		for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
			lines += strings.Count(block[1], "\n")
			most, missing := -1, ""
			for _, file := range files {
				example, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found, line := inOrder(block[1], string(example))
				if line == "" {
					missing = ""
					break
				}
				if found > most {
					most, missing = found, line
				}
			}
			if missing != "" {
				t.Errorf("%q of docs/CAMERA.md does not stand in one of %v, or not in this order", missing, files)
			}
		}
		if lines < 10 {
			t.Errorf("%d lines of %s in docs/CAMERA.md", lines, language)
		}
	}
}

// inOrder returns how many lines of block stand in text in their order, and the first one that does
// not, "" if all do.
func inOrder(block, text string) (found int, missing string) {
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		at := strings.Index(text, line)
		if at < 0 {
			return found, line
		}
		text = text[at+len(line):]
		found++
	}
	return found, ""
}
